import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { isPlaybookPath, parsePlaybook } from './playbook.ts';

/** What a session's prompt shows of a store. */
export const INDEX_PATH = '/_index.md';

const BEGIN = '<!-- reverie:index -->';
const END = '<!-- /reverie:index -->';

/**
 * The index of a store, at most `limits.store_index_bytes_max`. What people wrote around the
 * rendered part stays byte for byte; the best playbooks come first, and what does not fit is counted.
 *
 * @param own The index as it is. @default - none
 */
export function renderIndex(memories: ReadonlyMap<string, string>, own = ''): string {
  const [before, after] = aroundOf(own);
  const room_bytes =
    limits.store_index_bytes_max - Buffer.byteLength(before) - Buffer.byteLength(after);
  const lines = linesOf(memories);
  const shown: string[] = [BEGIN, '# Index'];
  let left_bytes = room_bytes - Buffer.byteLength(`${shown.join('\n')}\n${END}\n`) - 60;
  let left_out = 0;
  for (const { text, is_heading } of lines) {
    left_bytes -= Buffer.byteLength(text) + 1;
    if (left_bytes >= 0) shown.push(text);
    else if (!is_heading) left_out += 1;
  }
  if (left_out > 0) shown.push('', `${left_out} more memories are not listed here.`);
  return `${before}${shown.join('\n')}\n${END}\n${after}`;
}

/** What stands before and after the rendered part. */
function aroundOf(own: string): [before: string, after: string] {
  const begin = own.indexOf(BEGIN);
  const end = own.indexOf(END, begin);
  if (begin === -1 || end === -1) return [own === '' || own.endsWith('\n') ? own : `${own}\n`, ''];
  return [own.slice(0, begin), own.slice(end + END.length).replace(/^\n/, '')];
}

interface IndexLine {
  readonly text: string;
  readonly is_heading: boolean;
}

function linesOf(memories: ReadonlyMap<string, string>): IndexLine[] {
  const playbooks: (readonly [score: number, text: string])[] = [];
  const notes: string[] = [];
  const others: string[] = [];
  for (const [path, text] of [...memories].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (path === INDEX_PATH) continue;
    const playbook = isPlaybookPath(path) ? parsePlaybook(text) : undefined;
    if (playbook !== undefined && !('fault' in playbook)) {
      const { title, situation, helpful, harmful } = playbook.facts;
      const counts = `helpful ${helpful}, harmful ${harmful}`;
      playbooks.push([
        helpful - harmful,
        `- ${path}: ${short(title)}. When: ${short(situation)} (${counts})`,
      ]);
    } else if (path.startsWith('/notes/')) notes.push(`- ${path}: ${short(firstLine(text))}`);
    else others.push(`- ${path}: ${short(firstLine(text))}`);
  }
  const best = playbooks.toSorted(([a], [b]) => b - a).map(([, text]) => text);
  return [
    ...section('Playbooks', best),
    ...section('Notes', notes),
    ...section('Other memories', others),
  ];
}

function section(title: string, items: readonly string[]): IndexLine[] {
  if (items.length === 0) return [];
  const heading = { text: `\n## ${title}`, is_heading: true };
  return [heading, ...items.map((text) => ({ text, is_heading: false }))];
}

function firstLine(text: string): string {
  return /^\s*(?:#+\s*)?(\S.*)/.exec(text)?.[1] ?? '';
}

/** One line, and no mark that could end the rendered part. */
function short(text: string): string {
  const one = text
    .replaceAll(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .replaceAll('<!--', '')
    .trim();
  const chars_max = limits.index_line_chars_max;
  return one.length <= chars_max ? one : `${upToUnits(one, chars_max - 1)}…`;
}
