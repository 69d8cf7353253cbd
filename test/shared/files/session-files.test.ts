import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { ConditionFailed } from '#shared/core/table.ts';
import { Manifests } from '#shared/files/manifest.ts';
import { halfSeen } from '../../half-seen.ts';
import { inSession, startRig, type Rig } from '../tools/rig.ts';

/** What other rooms use: uploads, deliverables, long outputs. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});
const written_by = { thread_id: 'sthr_1', event_id: 'sevt_1' };
const by = { workspace_id: 'wrkspc_1', written_by };

test('what is written from outside is there for the tools, and the other way round', async () => {
  const { files } = rig;
  await files.write('sesn_a', '/mnt/session/uploads/in.txt', Buffer.from('in'), by);
  await inSession(rig, 'sesn_a')('bash', {
    command: 'cat /mnt/session/uploads/in.txt > /mnt/session/outputs/out.txt',
  });
  expect((await files.list('sesn_a', '/mnt/session/outputs')).map(({ path }) => path)).toEqual([
    '/mnt/session/outputs/out.txt',
  ]);
  const { bytes } = await files.read('sesn_a', '/mnt/session/outputs/out.txt');
  expect(Buffer.from(bytes).toString()).toBe('in');
  await files.delete('sesn_a', '/mnt/session/uploads/in.txt', by);
  await files.delete('sesn_a', '/mnt/session/uploads/in.txt', by);
  await expect(files.read('sesn_a', '/mnt/session/uploads/in.txt')).rejects.toMatchObject({
    kind: 'missing',
  });
});

test.each([0, 1, limits.inline_file_bytes_max, limits.inline_file_bytes_max + 1, 5_000_000])(
  'a file of %i bytes comes back as it was written, from outside and from a command',
  async (size) => {
    const bytes = Buffer.alloc(size, '0123456789abcdef\n');
    await rig.files.write(`sesn_${size}`, '/tmp/f', bytes, by);
    expect(Buffer.from((await rig.files.read(`sesn_${size}`, '/tmp/f')).bytes).equals(bytes)).toBe(
      true,
    );
    const use = inSession(rig, `sesn_${size}`);
    await use('bash', { command: 'cat /tmp/f > /tmp/g; cp /tmp/f /tmp/h; printf x >> /tmp/g' });
    const { bytes: after } = await rig.files.read(`sesn_${size}`, '/tmp/g');
    expect(Buffer.from(after).equals(Buffer.concat([bytes, Buffer.from('x')]))).toBe(true);
    expect(Buffer.from((await rig.files.read(`sesn_${size}`, '/tmp/h')).bytes).equals(bytes)).toBe(
      true,
    );
  },
);

test('copies, moves and mode changes of a large file load and store nothing', async () => {
  const { blobs } = rig;
  await rig.files.write('sesn_lazy', '/tmp/big', Buffer.alloc(3_000_000, 1), by);
  const use = inSession(rig, 'sesn_lazy');
  const before = blobs.objects.size;
  blobs.requests.length = 0;
  await use('bash', {
    command:
      'cp /tmp/big /tmp/b2; mv /tmp/big /tmp/b1; chmod 755 /tmp/b1; ls -l /tmp; find / -size +1M',
  });
  expect(blobs.requests).toEqual([]);
  expect(blobs.objects.size).toBe(before);
  expect((await rig.files.list('sesn_lazy', '/tmp')).map(({ path, mode }) => [path, mode])).toEqual(
    [
      ['/tmp/b1', 0o755],
      ['/tmp/b2', 0o644],
    ],
  );
});

test('entries read while a change is becoming seen are used and not kept; later they are', async () => {
  const use = inSession(rig, 'sesn_half');
  await use('bash', { command: 'echo a > a; echo b > b' });
  const clock = { now: () => new Date() };
  const table = halfSeen(rig.table);
  const manifests = new Manifests(table, clock);
  const paths = async () => [...(await manifests.read('sesn_half')).manifest.entries.keys()];
  table.hide({ pk: 'FILES#sesn_half', sk: 'F#/workspace/b' }, 1);
  expect(await paths()).toEqual(['/workspace/a']);
  expect(await paths()).toEqual(['/workspace/a', '/workspace/b']);
  clock.now = () => new Date(Date.now() + limits.transaction_seen_ms);
  await paths();
  table.hide({ pk: 'FILES#sesn_half', sk: 'F#/workspace/b' }, 1);
  expect(await paths()).toEqual(['/workspace/a', '/workspace/b']);
});

test('the totals follow every change, and a full session refuses to grow but not to shrink', async () => {
  const use = inSession(rig, 'sesn_totals');
  await use('bash', { command: 'mkdir -p d/e; printf 12345 > d/f; ln -s f l; printf 123 > g' });
  const totals = async () => await rig.table.get({ pk: 'FILES#sesn_totals', sk: 'HEAD' });
  expect(await totals()).toMatchObject({
    files_count: 2,
    folders_count: 2,
    size_bytes: 8,
    inline_bytes: 8,
  });
  await rig.table.update({
    update: { pk: 'FILES#sesn_totals', sk: 'HEAD' },
    expression: 'SET size_bytes = :full',
    values: { ':full': limits.session_bytes_max },
  });
  expect(await use('bash', { command: 'printf 1234 > g; echo done' })).toMatch(
    /^! done\n\[The changed files were not kept, or not all\. The session.s files would be more than/,
  );
  expect(await use('bash', { command: 'cat g; rm g' })).toBe('123');
  expect(await totals()).toMatchObject({
    files_count: 1,
    size_bytes: limits.session_bytes_max - 3,
  });
});

test('a change of more files than a transaction holds is written whole', async () => {
  const use = inSession(rig, 'sesn_many');
  await use('bash', { command: 'for i in $(seq 250); do echo $i > f$i; done' });
  expect(
    await use('bash', { command: 'ls | wc -l; cat f250; mkdir d; mv f* d; ls d | wc -l' }),
  ).toMatch(/^\s*250\n250\n\s*250$/);
  expect(await use('bash', { command: 'rm -r d; ls -A | wc -l' })).toMatch(/^\s*0$/);
  expect(await rig.table.get({ pk: 'FILES#sesn_many', sk: 'HEAD' })).toMatchObject({
    files_count: 0,
    size_bytes: 0,
  });
});

test('a change whose further rows are refused ends, and is not written', async () => {
  const { files, table } = rig;
  const session_id = 'sesn_also';
  const put = { pk: 'FILES#sesn_also', sk: 'SHELL#sthr_1' };
  await table.transact([{ put }]);
  const { manifest } = await files.manifests.read(session_id);
  const next = { kind: 'folder', path: '/tmp/d', mode: 0o755, modified_at: '2026-11-20' } as const;
  const request = {
    session_id,
    workspace_id: 'wrkspc_1',
    base: manifest,
    author: written_by,
    on_conflict: 'beside' as const,
    also: [{ put, condition: 'attribute_not_exists(pk)' }],
  };
  const change = { path: next.path, base: undefined, next };
  await expect(files.commit({ ...request, changes: [change] })).rejects.toThrow(ConditionFailed);
  expect((await files.manifests.read(session_id)).manifest.entries.size).toBe(0);
});

test('dropping a session leaves no row of its files', async () => {
  await inSession(rig, 'sesn_drop')('bash', {
    command: 'cd /tmp; for i in $(seq 120); do : > f$i; done',
  });
  await rig.files.drop('sesn_drop');
  expect((await rig.table.query({ pk: 'FILES#sesn_drop', from: ' ', to: '~' })).rows).toEqual([]);
});
