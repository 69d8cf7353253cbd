import { readFile } from '../api-files/read-file.ts';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit, recall } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import type { Table } from '../core/table.ts';
import { entryOf, filesKey } from '../files/entry.ts';
import { Manifests } from '../files/manifest.ts';
import { isInside, parentOf, roots } from '../files/path.ts';
import { readChangeable, touchSession, type ResourceRows } from './change-resources.ts';
import { copyBytes, mountWrites, type MountedFile } from './mount-file.ts';
import { checkFree } from './mount-path.ts';
import { planFile, tooMuch } from './plan-resources.ts';
import type { ShownResource } from './resource.ts';
import type { FileParams } from './resource-wire.ts';
import { showResource } from './show-resource.ts';

/**
 * `POST /v1/sessions/{session_id}/resources`: mount a file in a session, whether it rests or runs.
 * Its bytes first, then everything else in one transaction: the next tool call finds the file.
 *
 * @throws Fault `missing` for the session or the file; `invalid` for its place, or when the session
 *   is archived; `too_large` when it has no room
 */
export async function addFile(
  ports: Ports,
  call: Call,
  session_id: string,
  params: FileParams,
): Promise<ShownResource> {
  const { workspace_id } = call;
  const [from, rows] = await Promise.all([
    readFile(ports, call, parseId('file', params.file_id)),
    readChangeable(ports.table, call, session_id),
  ]);
  const at = timestamp(ports.clock);
  const mounted = planFile(ports, { session_id, workspace_id, at }, params, from);
  const answer = showResource(mounted.resource);
  const first = await refusedOrAnswered(ports, call, async () => {
    await checkRoom(ports, rows, mounted);
  });
  if (first !== undefined) return first;
  await copyBytes(ports, mounted);
  return await again(`session '${session_id}'`, async () => {
    // What stood in the way of the last round is said in its own words.
    const met = await refusedOrAnswered(ports, call, async () => {
      await checkRoom(ports, await readChangeable(ports.table, call, session_id), mounted);
    });
    if (met !== undefined) return met;
    const now = timestamp(ports.clock);
    const writes = [...touchSession(session_id, at), ...mountWrites([mounted], now)];
    return await commit(ports, call, writes, { answer });
  });
}

/**
 * Check a request. What refuses it may be its own effect, when the same request came a moment before:
 * then it has that one's answer.
 *
 * @returns the earlier answer; undefined when nothing stands in the way
 */
async function refusedOrAnswered(
  ports: Ports,
  call: Call,
  check: () => Promise<void>,
): Promise<ShownResource | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const first = call.idempotency && (await recall(ports, call.idempotency));
    if (first === undefined) throw error;
    return first.answer as ShownResource;
  }
}

/** @throws Fault when the file cannot be mounted as the session stands now */
async function checkRoom(
  { table, clock }: Pick<Ports, 'table' | 'clock'>,
  { session, resources }: ResourceRows,
  { entry, file }: MountedFile,
): Promise<void> {
  const files = resources.filter(({ type }) => type === 'file');
  if (files.length >= limits.session_mounted_files_max) {
    throw new Fault(
      'invalid',
      `A session has at most ${limits.session_mounted_files_max} files. Remove one first.`,
    );
  }
  const taken = resources.map(({ mount_path: path, type }) => ({
    path,
    is_folder: type !== 'file',
  }));
  checkFree('mount_path', { path: entry.path, is_folder: false }, taken);
  const { session_id } = session;
  await checkNoEntry(table, session_id, entry.path);
  const sums = await new Manifests(table, clock).totals(session_id);
  const is_full =
    sums.files_count >= limits.session_files_max ||
    sums.size_bytes + file.size_bytes > limits.session_bytes_max;
  if (is_full) throw tooMuch();
}

/** @throws Fault `invalid` when the agent has made something there */
async function checkNoEntry(table: Table, session_id: string, path: string): Promise<void> {
  const pk = filesKey(session_id);
  const above = [path];
  for (let folder = parentOf(path); isInside(folder, roots); folder = parentOf(folder)) {
    above.push(folder);
  }
  const [found, below] = await Promise.all([
    table.getMany(above.map((one) => ({ pk, sk: `F#${one}` }))),
    table.query({ pk, from: `F#${path}/`, to: `F#${path}/\u{10ffff}`, limit: 1 }),
  ]);
  const entries = found.map(entryOf);
  const met =
    entries.find((entry) => entry.path === path || entry.kind !== 'folder') ??
    below.rows.map(entryOf)[0];
  if (met === undefined) return;
  throw new Fault('invalid', `mount_path: '${met.path}' is there already. Choose another path.`);
}
