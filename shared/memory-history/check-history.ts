import { decodeTime } from 'ulid';
import type * as z from 'zod';
import { prefixes } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { faultOfContent, sha256Of } from '../memory/content.ts';
import { faultOfPath } from '../memory/path.ts';
import { HistoryLine } from './archive.ts';
import { refusal } from './read-tar.ts';

/** The newest version of a memory, as the history tells it. */
export interface Head {
  readonly version_id: string;
  readonly operation: HistoryLine['operation'];
  readonly path: string | null;
  readonly content_sha256: string | null;
  /** Of its first version that is left, and whether that created it. */
  readonly first_at: string;
  readonly is_whole: boolean;
}

/** @throws Fault `invalid` for what is not JSON of this shape */
export function parsedAs<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  where: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refusal(where, 'is not JSON.');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refusal(where, `has a wrong '${issue?.path.join('.') ?? ''}': ${issue?.message ?? ''}.`);
}

/**
 * Reads a history and refuses what no store can have lived through. Keeps what it knows of each
 * memory, not of each version.
 */
export class HistoryCheck {
  readonly heads = new Map<string, Head>();
  lines_count = 0;
  #last_id = '';

  /** @throws Fault `invalid` */
  add(text: string): void {
    this.lines_count += 1;
    const where = `line ${this.lines_count} of the history`;
    if (this.lines_count > limits.import_versions_max) {
      throw refusal('the history', `has more than ${limits.import_versions_max} versions.`);
    }
    const line = parsedAs(HistoryLine, text, where);
    const before = this.heads.get(line.memory_id);
    const fault =
      faultOfOrder(line, this.#last_id) ??
      faultOfTurn(line, before) ??
      (line.redacted_at === null ? faultOfLine(line) : faultOfRedacted(line));
    if (fault !== undefined) throw refusal(where, fault);
    this.#last_id = line.id;
    this.heads.set(line.memory_id, headOf(line, before));
  }
}

function headOf(line: HistoryLine, before: Head | undefined): Head {
  const { id: version_id, operation, path, content_sha256, created_at } = line;
  const first_at = before?.first_at ?? created_at;
  const is_whole = before?.is_whole ?? operation === 'created';
  return { version_id, operation, path, content_sha256, first_at, is_whole };
}

function faultOfOrder({ id, created_at }: HistoryLine, last_id: string): string | undefined {
  if (id <= last_id) return 'is not in the order of its id.';
  return timeOf(id) === created_at ? undefined : 'has an id of another time than its created_at.';
}

function timeOf(id: string): string | undefined {
  try {
    return new Date(decodeTime(id.slice(prefixes.memory_version.length + 1))).toISOString();
  } catch {
    return undefined;
  }
}

/** Whether a memory can do this after what it did before; its first versions may have expired. */
function faultOfTurn({ operation }: HistoryLine, before: Head | undefined): string | undefined {
  if (before === undefined) return undefined;
  if (operation === 'created') return 'creates a memory that has been created before.';
  const is_twice = operation === 'deleted' && before.operation === 'deleted';
  return is_twice ? 'deletes a memory that is deleted already.' : undefined;
}

function faultOfLine(line: HistoryLine): string | undefined {
  const { path, content, content_sha256, content_size_bytes, redacted_by, operation } = line;
  if (redacted_by !== null) return 'says who redacted it, and not when.';
  if (path === null) return 'has no path, and is not redacted.';
  const wrong = faultOfPath(path);
  if (wrong !== undefined) return `has a wrong path: it ${wrong}`;
  if (operation === 'deleted') {
    const is_empty = content === null && content_sha256 === null && content_size_bytes === null;
    return is_empty ? undefined : 'deletes a memory, and has a content.';
  }
  if (content === null) return 'has no content, and is not redacted.';
  const odd = faultOfContent(content);
  if (odd !== undefined) return `has a wrong content: it ${odd}`;
  if (sha256Of(content) !== content_sha256) return 'has a content with another hash than it says.';
  const is_exact = Buffer.byteLength(content) === content_size_bytes;
  return is_exact ? undefined : 'has a content of another size than it says.';
}

function faultOfRedacted(line: HistoryLine): string | undefined {
  const { path, content, content_sha256, content_size_bytes, redacted_by } = line;
  if (redacted_by === null) return 'is redacted by nobody.';
  const left = [path, content, content_sha256, content_size_bytes].some((value) => value !== null);
  return left ? 'is redacted, and still says what it was.' : undefined;
}
