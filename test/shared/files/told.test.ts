import fc from 'fast-check';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { Key, Query, Row, Table } from '#shared/core/table.ts';
import { filesKey } from '#shared/files/entry.ts';
import type { Manifest } from '#shared/files/manifest.ts';
import { SessionFiles } from '#shared/files/session-files.ts';
import { toldBy } from '#shared/files/told.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

/**
 * The head of a session's files tells what the last transactions have changed. Rule: a reader that goes by
 * it has what a list of all files would give it, whoever wrote, told or not, and in whatever order.
 */
let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(() => started.stop());

let now_ms = Date.parse('2026-01-01T00:00:00.000Z');
const clock = { now: () => new Date(now_ms) };

/** A function's process, with its own memory of what the files are. */
class Process {
  readonly files: SessionFiles;
  readonly session_id: string;
  /** Lists of all files since it was last asked. */
  listed = 0;
  /** Done once, between a read of rows and its answer. */
  meanwhile: (() => Promise<unknown>) | undefined;
  /** What reads shall find: rows as they were, while a transaction is not all seen. */
  find: (rows: Row[], keys: readonly Key[]) => Row[] = (rows) => rows;
  #seen: Manifest | undefined;

  constructor(session_id: string) {
    this.session_id = session_id;
    const { table } = started;
    const getMany: Table['getMany'] = async (keys, options) => {
      const rows = await table.getMany(keys, options);
      const { meanwhile } = this;
      this.meanwhile = undefined;
      await meanwhile?.();
      return this.find(rows, keys);
    };
    const query = async (request: Query) => {
      this.listed += 1;
      const page = await table.query(request);
      return { ...page, rows: this.find(page.rows, []) };
    };
    const transact = table.transact.bind(table);
    const seeing = { getMany, query, transact } as unknown as Table;
    const ports = { table: seeing, blobs: new MemoryBlobs(), clock, newName: () => ulid() };
    this.files = new SessionFiles(ports);
  }

  async read(): Promise<Manifest> {
    this.listed = 0;
    this.#seen = (await this.files.manifests.read(this.session_id)).manifest;
    return this.#seen;
  }

  /** Write a link, or remove it, going by what was read last. @returns whether it met nobody */
  async write(path: string, target: string | undefined, tells = true): Promise<boolean> {
    const base = this.#seen ?? (await this.read());
    const at = clock.now().toISOString();
    const link = { kind: 'link' as const, path, mode: 0o777, modified_at: at };
    const before = base.entries.get(path);
    if (before === undefined && target === undefined) return true;
    const conflicts = await this.files.commit({
      session_id: this.session_id,
      workspace_id: 'wrkspc_1',
      base,
      changes: [
        { path, base: before, next: target === undefined ? undefined : { ...link, target } },
      ],
      author: { thread_id: `sthr_${target ?? ''}`, event_id: 'sevt_1' },
      on_conflict: 'refuse',
      tells,
    });
    return conflicts.length === 0;
  }
}

let sessions = 0;
function processes(count: number): Process[] {
  const id = `sesn_told_${(sessions += 1)}`;
  return Array.from({ length: count }, () => new Process(id));
}

const linksOf = ({ entries }: Manifest) =>
  [...entries.values()]
    .map((entry) => (entry.kind === 'link' ? `${entry.path} -> ${entry.target}` : entry.path))
    .toSorted();

test('what others have written is read and nothing else', async () => {
  const [one, other] = processes(2) as [Process, Process];
  await one.read();
  await one.write('/a', '1');
  await one.write('/b', '1');
  await other.read();
  now_ms += limits.transaction_seen_ms;
  await other.read();
  await one.read();
  await one.write('/a', '2');
  await one.read();
  await one.write('/b', undefined);
  await one.read();
  await one.write('/c', '3');
  expect(linksOf(await other.read())).toEqual(['/a -> 2', '/c -> 3']);
  expect(other.listed).toBe(0);
  // Also where nobody has rested since: 25 threads never do.
  await one.read();
  await one.write('/c', '4');
  expect(linksOf(await other.read())).toEqual(['/a -> 2', '/c -> 4']);
  expect(other.listed).toBe(0);
});

test('where one has written that tells nothing, all files are listed', async () => {
  const [one, other] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  now_ms += limits.transaction_seen_ms;
  await other.read();
  await one.read();
  await one.write('/b', '1', false);
  await one.read();
  await one.write('/c', '1');
  expect(linksOf(await other.read())).toEqual(['/a -> 1', '/b -> 1', '/c -> 1']);
  expect(other.listed).toBe(1);
});

test('a newcomer keeps its list where all that may be unseen is told of, and seen', async () => {
  const [one, newcomer] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  now_ms += limits.transaction_seen_ms;
  await one.read();
  await one.write('/b', '1');
  await newcomer.read();
  await one.read();
  await one.write('/c', '1');
  expect(linksOf(await newcomer.read())).toEqual(['/a -> 1', '/b -> 1', '/c -> 1']);
  expect(newcomer.listed).toBe(0);
});

test.each([
  ['changed', '2', ['/a -> 2']],
  ['removed', undefined, []],
] as const)('a row that is %s and not seen yet is read again', async (_, target, after) => {
  const [one, other] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  now_ms += limits.transaction_seen_ms;
  await other.read();
  const [old] = await started.table.getMany([{ pk: filesKey(one.session_id), sk: 'F#/a' }]);
  await one.read();
  await one.write('/a', target);
  other.find = (rows, keys) =>
    keys.some(({ sk }) => sk === 'F#/a') && old !== undefined ? [old] : rows;
  expect(linksOf(await other.read())).toEqual(['/a -> 1']);
  other.find = (rows) => rows;
  expect(linksOf(await other.read())).toEqual(after);
});

test('what a call beside has left while the head was read is not taken for what that says', async () => {
  const [one, other] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  now_ms += limits.transaction_seen_ms;
  await one.read();
  await other.read();
  await other.write('/b', '1');
  // From before the other's: what it leaves has by chance the number that is being read.
  one.meanwhile = async () => await one.write('/c', '1');
  await one.read();
  expect(linksOf(await one.read())).toEqual(['/a -> 1', '/b -> 1', '/c -> 1']);
});

test('what keeps its version is not told: it would pass for seen', async () => {
  const [one, other] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  await one.read();
  await one.write('/a', '1');
  expect(toldBy(await headOf(one))).toHaveLength(1);
  await other.read();
  await other.write('/b', '1');
  await one.read();
  expect(one.listed).toBe(1);
});

test('what takes several transactions is not told', async () => {
  const [one] = processes(1) as [Process];
  const at = clock.now().toISOString();
  const base = await one.read();
  const changes = Array.from({ length: 120 }, (_, n) => {
    const path = `/n/${n}`;
    const next = { kind: 'link' as const, path, mode: 0o777, modified_at: at, target: '/a' };
    return { path, base: undefined, next };
  });
  await one.files.commit({
    session_id: one.session_id,
    workspace_id: 'wrkspc_1',
    base,
    changes,
    author: { thread_id: 'sthr_1', event_id: 'sevt_1' },
    on_conflict: 'refuse',
    tells: true,
  });
  expect(toldBy(await headOf(one))).toEqual([]);
  expect((await one.read()).entries.size).toBe(120);
});

test('a list in which a row is not seen yet is made again', async () => {
  const [one, newcomer] = processes(2) as [Process, Process];
  await one.write('/a', '1');
  now_ms += limits.transaction_seen_ms;
  await one.read();
  await one.write('/b', '1');
  newcomer.find = (rows) => rows.filter(({ sk }) => sk !== 'F#/b');
  expect(linksOf(await newcomer.read())).toEqual(['/a -> 1']);
  newcomer.find = (rows) => rows;
  expect(linksOf(await newcomer.read())).toEqual(['/a -> 1', '/b -> 1']);
});

const headOf = async ({ session_id }: Process): Promise<Row> =>
  (await started.table.get({ pk: filesKey(session_id), sk: 'HEAD' })) ?? { pk: '', sk: '' };

test('a head tells of the newest in less than a write unit, and of what is too long nothing', async () => {
  const [one] = processes(1) as [Process];
  for (let n = 0; n < 40; n += 1) {
    await one.read();
    await one.write(`/some/where/file-${n}`, '1');
  }
  const head = await headOf(one);
  const told = toldBy(head);
  expect(told.length).toBeGreaterThan(5);
  expect(told.map(({ before }) => before)).toEqual(told.map((_, n) => 40 - told.length + n));
  const names = Object.keys(head).reduce((sum, name) => sum + name.length, 0);
  expect(names).toBeLessThan(800);
  await one.read();
  await one.write(`/${'long/'.repeat(120)}er`, '1');
  expect(toldBy(await headOf(one))).toEqual(told);
});

test('with many files a head tells of more', async () => {
  const [first, one] = processes(2) as [Process, Process];
  await first.write('/a', '1');
  await started.table.update({
    update: { pk: filesKey(one.session_id), sk: 'HEAD' },
    expression: 'SET files_count = :n',
    values: { ':n': limits.told_few_files_max + 1 },
  });
  for (let n = 0; n < 40; n += 1) {
    await one.read();
    await one.write(`/some/where/file-${n}`, '1');
  }
  expect(toldBy(await headOf(one)).length).toBe(41);
});

test(
  'whoever reads, and whenever, has what a list of all files gives',
  { timeout: 60_000 },
  async () => {
    const step = fc.record({
      process: fc.nat({ max: 2 }),
      what: fc.constantFrom('read', 'read', 'write', 'write', 'write', 'remove', 'rest'),
      path: fc.constantFrom('/a', '/b', '/c', '/d/e'),
      tells: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const all = processes(3);
        let n = 0;
        for (const { process, what, path, tells } of steps) {
          const one = all[process] as Process;
          if (what === 'rest') now_ms += limits.transaction_seen_ms;
          else if (what === 'read') {
            const { manifest } = await new Process(one.session_id).files.manifests.read(
              one.session_id,
            );
            expect(linksOf(await one.read())).toEqual(linksOf(manifest));
          } else await one.write(path, what === 'write' ? String((n += 1)) : undefined, tells);
        }
      }),
      { numRuns: 60 },
    );
  },
);
