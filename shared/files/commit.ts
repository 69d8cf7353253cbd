import { timestamp, type Clock } from '../core/clock.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { ConditionFailed, ROW_SCHEMA, type Row, type Table, type Write } from '../core/table.ts';
import {
  entryOf,
  filesKey,
  isSame,
  rowOf,
  type Author,
  type Content,
  type Entry,
  type StoredEntry,
} from './entry.ts';
import { joinAppends, type AppendPorts } from './append.ts';
import { deltaOf, type Changed, type Manifest, type Manifests } from './manifest.ts';
import { telling, telling_nothing, type TellingUpdate } from './told.ts';
import { pastWrites, revisedFrom, WRITES_PER_PAST } from './history.ts';
import { outputWrites, WRITES_PER_OUTPUT, type FilesOwner } from './outputs.ts';
import { besidePath, isInside, outputs, workdir } from './path.ts';

/** What a call did to one path. */
export interface Change {
  readonly path: string;
  /** What the path held when the call began; undefined when it was free. */
  readonly base: StoredEntry | undefined;
  /** What it holds now; undefined when it is gone. */
  readonly next: Entry | undefined;
}

/** A change that met another thread's change of the same path. Theirs stands. */
export interface Conflict {
  readonly path: string;
  /** Where our content was put; undefined when nothing of ours had to be kept. */
  readonly saved_as: string | undefined;
  /** Both had appended, and ours stands behind theirs. @default false */
  readonly is_joined?: true;
}

export interface CommitRequest extends FilesOwner {
  /** What the call saw. */
  readonly base: Manifest;
  readonly changes: readonly Change[];
  readonly author: Author;
  /** `refuse`: the conflicting transaction is not done. `beside`: our content goes to a free name. */
  readonly on_conflict: 'refuse' | 'beside';
  /** Say in the head what is changed, for other threads: see {@link Told}. @default false */
  readonly tells?: boolean;
  /** Rows that go with the last transaction, e.g. the shell's state. */
  readonly also?: readonly Write[];
  /**
   * Writes a transaction that is the only one, and meets nobody, together with rows of its own.
   * @returns false where nothing was written. @default - none
   */
  readonly joining?: (writes: WritesAt) => Promise<boolean>;
}

/** What is to be written when it is sent at a time: the head says it, and who reads goes by that. */
export type WritesAt = (at: string) => readonly Write[];

interface Ports {
  readonly table: Table;
  readonly clock: Clock;
  readonly manifests: Manifests;
  readonly newVersion: () => string;
  readonly bytesOf: AppendPorts['bytesOf'];
  readonly store: (bytes: Uint8Array, inline_bytes: number) => Promise<Content>;
}

/** Writes of changes in one transaction: room for the head row, and for `also`. */
const BATCH_WRITES_MAX = limits.transaction_writes_max - 3;

/**
 * Put a call's changes into the table, each under the condition that its path is as the call saw it.
 *
 * More changes than 97 writes hold take several transactions: folders first, then files, then removals. Dying
 * between two leaves a prefix of that order: a moved file is then in both places, never in none,
 * and the call, having no recorded result, is answered as one that may have run.
 * Reply lost: the SDK repeats under the same token; beyond that, an entry that already holds what we
 * write counts as written.
 *
 * @throws Fault `too_large` when the session would hold more than it may; nothing of the
 *   transaction that crossed the bound is written. ConditionFailed when `also` is refused.
 */
export async function commit(ports: Ports, request: CommitRequest): Promise<readonly Conflict[]> {
  const also = request.also ?? [];
  const batches = batchesOf(request.changes);
  const joining = batches.length > 1 ? undefined : request.joining;
  // Many would fill the head, and each goes by what it told before all of them.
  const tells = batches.length === 1 && request.tells === true;
  if (batches.length === 0 && also.length > 0) await transact(ports, () => also, joining);
  let manifest = request.base;
  const conflicts: Conflict[] = [];
  for (const [index, batch] of batches.entries()) {
    const is_last = index === batches.length - 1;
    const writes = { batch, also: is_last ? also : [], joining, tells };
    const done = await commitBatch(ports, request, manifest, writes);
    manifest = done.manifest;
    conflicts.push(...done.conflicts);
    if (done.conflicts.length > 0 && request.on_conflict === 'refuse') break;
  }
  return conflicts;
}

async function commitBatch(
  ports: Ports,
  request: CommitRequest,
  manifest: Manifest,
  writes: {
    readonly batch: readonly Change[];
    readonly also: readonly Write[];
    readonly joining: CommitRequest['joining'];
    readonly tells: boolean;
  },
): Promise<{ readonly manifest: Manifest; readonly conflicts: readonly Conflict[] }> {
  const { session_id, author } = request;
  /** By path: what became of it last. */
  const conflicts = new Map<string, Conflict>();
  const told = () => [...conflicts.values()];
  const by = { author, version: manifest.version };
  let left = writes.batch.map((change) => stamp(ports, by, change));
  while (left.length > 0) {
    try {
      const changed = left;
      const writesAt: WritesAt = (at) => {
        const told = writes.tells ? telling(manifest, changed, at) : telling_nothing;
        return [...changeWrites(request, changed, at, { author, told }), ...writes.also];
      };
      // Whoever joins says that nobody was met.
      const joining = conflicts.size === 0 ? writes.joining : undefined;
      await transact(ports, writesAt, joining);
      const next = ports.manifests.follow(session_id, manifest, left);
      return { manifest: next, conflicts: told() };
    } catch (error) {
      const met = await meet(ports, error, left, { ...request, base: manifest });
      for (const conflict of met.conflicts) conflicts.set(conflict.path, conflict);
      if (met.conflicts.length > 0 && request.on_conflict === 'refuse') {
        return { manifest, conflicts: told() };
      }
      left = met.left;
    }
  }
  if (writes.also.length > 0) await ports.table.transact(writes.also);
  return { manifest, conflicts: told() };
}

async function transact(
  { table, clock }: Pick<Ports, 'table' | 'clock'>,
  writesAt: WritesAt,
  joining: CommitRequest['joining'],
): Promise<void> {
  const may_join = writesAt(timestamp(clock)).length <= limits.joined_writes_max;
  if (may_join && (await joining?.(writesAt)) === true) return;
  await table.transact(writesAt(timestamp(clock)));
}

function batchesOf(changes: readonly Change[]): Change[][] {
  const rank = ({ next }: Change) => (next === undefined ? 2 : next.kind === 'folder' ? 0 : 1);
  const batches: Change[][] = [];
  let room = 0;
  for (const change of changes.toSorted((a, b) => rank(a) - rank(b))) {
    const own = change.base === undefined ? 1 : 1 + WRITES_PER_PAST;
    const writes = isInside(change.path, [outputs]) ? own + WRITES_PER_OUTPUT : own;
    if (writes > room) {
      batches.push([]);
      room = BATCH_WRITES_MAX;
    }
    batches.at(-1)?.push(change);
    room -= writes;
  }
  return batches;
}

/** Who writes, and the version of the manifest that they have read. */
interface Stamp {
  readonly author: Author;
  readonly version: number;
}

function stamp(
  ports: Pick<Ports, 'newVersion'>,
  { author, version }: Stamp,
  { path, base, next }: Change,
): Changed {
  if (next === undefined) return { path, base, next };
  // Only its place or its time is new: whoever saw the old row may still write over it.
  if (base !== undefined && isSame(base, next)) return { path, base, next: renewed(base, next) };
  const stamped = { ...next, version: ports.newVersion(), written_by: author };
  return { path, base, next: { ...stamped, ...revisedFrom(base, version) } };
}

/**
 * The same thing under the same version. Two may renew it at once and neither refuses the other, so it must
 * not change the sums: what stands in the row stays there, and what does not stays outside.
 */
function renewed(base: StoredEntry, next: Entry): StoredEntry {
  const same = { ...base, ...next };
  if (base.kind !== 'file' || same.kind !== 'file') return same;
  const is_moved = 'inline' in base.content !== 'inline' in same.content;
  return is_moved ? { ...same, content: base.content } : same;
}

/**
 * The writes of one transaction: the head, then each change under its condition, in their order,
 * then what follows from them.
 *
 * @param by Who replaces or removes what was there before; left out where nothing is.
 */
export function changeWrites(
  owner: FilesOwner,
  changed: readonly Changed[],
  at: string,
  by?: { readonly author: Author; readonly told: TellingUpdate },
): Write[] {
  const { author, told = telling_nothing } = by ?? {};
  return [
    headWrite(owner.session_id, changed, { at, told }),
    ...changed.map((one) => writeOf(owner.session_id, one)),
    ...changed.flatMap((one) => outputWrites(owner, one, at)),
    ...(author === undefined ? [] : changed.flatMap((one) => pastWrites(owner, one, author, at))),
  ];
}

function writeOf(session_id: string, { path, base, next }: Changed): Write {
  const condition =
    base === undefined
      ? { condition: 'attribute_not_exists(pk)' }
      : {
          condition: '#version = :base',
          names: { '#version': 'version' },
          values: { ':base': base.version },
        };
  return next === undefined
    ? { delete: { pk: filesKey(session_id), sk: `F#${path}` }, ...condition }
    : { put: rowOf(session_id, next), ...condition };
}

/** A bound is checked only on what grows, so that a session that is full can be cleaned up. */
const bounds = [
  ['files_count', limits.session_files_max],
  ['folders_count', limits.session_folders_max],
  ['size_bytes', limits.session_bytes_max],
] as const;

function headWrite(
  session_id: string,
  changed: readonly Changed[],
  { at, told }: { readonly at: string; readonly told: TellingUpdate },
): Write {
  const delta = deltaOf(changed);
  const grows = bounds.filter(([name]) => delta[name] > 0);
  return {
    update: { pk: filesKey(session_id), sk: 'HEAD' },
    expression:
      `SET #schema = :schema, changed_at = :at${told.set} ${told.remove}` +
      'ADD #version :one, files_count :files_count, folders_count :folders_count, ' +
      'size_bytes :size_bytes, inline_bytes :inline_bytes',
    names: { '#version': 'version', '#schema': 'schema', ...told.names },
    values: {
      ...told.values,
      ':schema': ROW_SCHEMA,
      ':at': at,
      ':one': 1,
      ...Object.fromEntries(Object.entries(delta).map(([name, value]) => [`:${name}`, value])),
      ...Object.fromEntries(grows.map(([name, max]) => [`:${name}_room`, max - delta[name]])),
    },
    ...(grows.length === 0
      ? {}
      : {
          condition: grows
            .map(([name]) => `(attribute_not_exists(${name}) OR ${name} <= :${name}_room)`)
            .join(' AND '),
        }),
  };
}

/** Decide what is left to write after a refused transaction. */
async function meet(
  ports: Ports,
  error: unknown,
  changed: readonly Changed[],
  { author, base: manifest, on_conflict }: CommitRequest,
): Promise<{ readonly left: Changed[]; readonly conflicts: Conflict[] }> {
  if (!(error instanceof ConditionFailed)) throw error;
  // Nothing of ours was in the way, so `also` is refused: it would be for ever.
  if (!error.failed.some((index) => index <= changed.length)) throw error;
  if (error.failed.includes(0)) {
    throw new Fault(
      'too_large',
      `The session's files would be more than ${limits.session_files_max} files, ` +
        `${limits.session_folders_max} folders or ${limits.session_bytes_max} bytes. Delete some first.`,
      { cause: error },
    );
  }
  const left: Changed[] = [];
  const conflicts: Conflict[] = [];
  for (const [index, one] of changed.entries()) {
    if (!error.failed.includes(index + 1)) {
      left.push(one);
      continue;
    }
    const theirs = error.rows[index + 1];
    const store = async (bytes: Uint8Array) => await ports.store(bytes, manifest.inline_bytes);
    const joined =
      on_conflict === 'refuse' || isOwn(theirs, author)
        ? undefined
        : await joinAppends({ ...ports, store }, one, theirs);
    if (joined !== undefined) {
      const by = { author, version: manifest.version };
      left.push(stamp(ports, by, { path: one.path, ...joined }));
      conflicts.push({ path: one.path, saved_as: undefined, is_joined: true });
      continue;
    }
    if (isDone(one, theirs)) continue;
    const saved = besideOf(one, theirs, author);
    if (saved !== undefined) left.push(saved);
    conflicts.push({ path: one.path, saved_as: saved?.path });
  }
  return { left, conflicts };
}

function isOwn(theirs: Row | undefined, { event_id }: Author): boolean {
  return theirs !== undefined && entryOf(theirs).written_by.event_id === event_id;
}

/** Another thread did the same, or this is our own write whose answer was lost. */
function isDone({ next }: Changed, theirs: Row | undefined): boolean {
  if (next === undefined || theirs === undefined) return next === undefined && theirs === undefined;
  return isSame(next, entryOf(theirs));
}

const bounds_beside = {
  name_bytes_max: limits.file_name_bytes_max,
  path_bytes_max: limits.path_bytes_max,
  spare: workdir,
};

function besideOf(one: Changed, theirs: Row | undefined, author: Author): Changed | undefined {
  // We removed what another thread has just changed: theirs stays.
  if (one.next === undefined) return undefined;
  const suffix = `.conflict-${author.event_id.slice(-8).toLowerCase()}`;
  // Our own name is taken only by an earlier run of this very call.
  if (one.path.endsWith(suffix)) {
    return { ...one, base: theirs === undefined ? undefined : entryOf(theirs) };
  }
  const path = besidePath(one.path, suffix, bounds_beside);
  return { path, base: undefined, next: { ...one.next, path } };
}
