import * as z from 'zod';
import type { Call } from '../core/call.ts';
import { isId } from '../core/id.ts';
import type { Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import type { Author } from '../files/entry.ts';
import { historyOf, type FileVersion } from '../files/history.ts';
import { normalPath } from '../files/path.ts';
import { readHead } from '../sessions/read-session.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';

export const FileHistoryQuery = z.strictObject({ path: z.string().min(1) });
export type FileHistoryQuery = z.output<typeof FileHistoryQuery>;

/** Who changed a file: a thread by a tool call, or a resource of the session that was mounted. */
export type Writer =
  | {
      readonly type: 'thread';
      readonly thread_id: string;
      readonly agent_name: string | null;
      /** The call, an `agent.tool_use` of the thread's log. */
      readonly event_id: string;
    }
  | { readonly type: 'resource'; readonly resource_id: string };

/** One version of a path, as `GET …/files/history` shows it. */
export interface FileVersionView {
  readonly type: 'file_version';
  readonly path: string;
  readonly version: string;
  readonly kind: FileVersion['kind'];
  readonly written_by: Writer;
  readonly written_at: string;
  readonly size_bytes: number | null;
  readonly sha256: string | null;
  /** Null for what the path holds now. */
  readonly ended_by:
    | (Writer & { readonly at: string; readonly change: 'replaced' | 'removed' })
    | null;
}

/**
 * `GET /v1/reverie/sessions/{session_id}/files/history?path=`: which thread wrote what, the newest
 * version first. Of one path that is a page: `file_history_max` versions are kept beside the present
 * one. A path that never held anything has none.
 *
 * @throws Fault `missing`; `invalid` for a path that a session cannot have
 */
export async function readFileHistory(
  ports: Pick<Ports, 'table'>,
  call: Call,
  session_id: string,
  { path }: FileHistoryQuery,
): Promise<Page<FileVersionView>> {
  await readHead(ports.table, call, session_id);
  const versions = await historyOf(ports.table, session_id, normalPath(path));
  const authors = versions.flatMap(({ written_by, ended_by }) =>
    ended_by === null ? [written_by] : [written_by, ended_by],
  );
  const names = await namesOf(ports.table, session_id, authors);
  return { data: versions.map((version) => viewOf(version, names)), next_page: null };
}

type Names = ReadonlyMap<string, string>;

async function namesOf(
  table: Table,
  session_id: string,
  authors: readonly Author[],
): Promise<Names> {
  const ids = new Set(authors.map(({ thread_id }) => thread_id));
  const keys = [...ids].filter((id) => isId('thread', id)).map(threadKey);
  const heads = (await table.getMany(keys)) as ThreadHead[];
  const own = heads.filter((head) => head.session_id === session_id);
  return new Map(own.map(({ thread_id, agent_name }) => [thread_id, agent_name]));
}

function viewOf({ ended_by, written_by, ...version }: FileVersion, names: Names): FileVersionView {
  return {
    type: 'file_version',
    ...version,
    written_by: writerOf(written_by, names),
    ended_by:
      ended_by === null
        ? null
        : {
            ...writerOf(ended_by, names),
            at: ended_by.at,
            change: ended_by.removed ? 'removed' : 'replaced',
          },
  };
}

/** The platform writes for a resource under that name: see shared/resources. */
function writerOf({ thread_id, event_id }: Author, names: Names): Writer {
  if (thread_id === 'resource') return { type: 'resource', resource_id: event_id };
  return { type: 'thread', thread_id, agent_name: names.get(thread_id) ?? null, event_id };
}
