import { FILE_HEADERS_ONLY, formatPatch, structuredPatch, type StructuredPatch } from 'diff';
import { limits } from '../core/limits.ts';

/** Neighbouring changes of a text, and the lines around them. Lines count from 1. */
export interface Hunk {
  readonly from_line: number;
  readonly from_count: number;
  readonly to_line: number;
  readonly to_count: number;
  /** Each begins with ' ', '-' or '+'; '\' says that the last line has no newline. */
  readonly lines: readonly string[];
}

/** A name as unified diffs have it; undefined where there is no file on that side. */
export interface Texts {
  readonly from_path: string | undefined;
  readonly to_path: string | undefined;
  readonly from: string;
  readonly to: string;
}

export function hunksOf(texts: Texts): Hunk[] {
  return patchOf(texts).hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    // As in a unified diff: of a side without lines, the line that they would follow.
    from_line: oldLines === 0 ? oldStart - 1 : oldStart,
    from_count: oldLines,
    to_line: newLines === 0 ? newStart - 1 : newStart,
    to_count: newLines,
    lines,
  }));
}

/** As `patch` and `git apply` read it. */
export function unifiedOf(texts: Texts): string {
  return formatPatch(patchOf(texts), FILE_HEADERS_ONLY);
}

function patchOf({ from_path, to_path, from, to }: Texts): StructuredPatch {
  const old_name = from_path === undefined ? '/dev/null' : `a${from_path}`;
  const new_name = to_path === undefined ? '/dev/null' : `b${to_path}`;
  const bounds = { context: 3, maxEditLength: limits.diff_edits_max };
  const patch = structuredPatch(old_name, new_name, from, to, undefined, undefined, bounds);
  if (patch !== undefined) return patch;
  // So different that finding out where takes too long: all of one for all of the other.
  const lines = [...linesOf('-', from), ...linesOf('+', to)];
  const hunk = { oldStart: 1, oldLines: countOf(from), newStart: 1, newLines: countOf(to), lines };
  return {
    oldFileName: old_name,
    newFileName: new_name,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: [hunk],
  };
}

function linesOf(sign: '-' | '+', text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n').map((line) => sign + line);
  if (text.endsWith('\n')) return lines.slice(0, -1);
  return [...lines, '\\ No newline at end of file'];
}

function countOf(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - Number(text.endsWith('\n'));
}
