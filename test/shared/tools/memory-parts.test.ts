/** How stores reach the sandbox: each once, however large, and only what changed again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SandboxRequest } from '#shared/tools/sandbox.ts';
import { startRig, type Rig } from './rig.ts';
import { mountOf, storeWith, withStores } from './stores.ts';

/** A whole store with `LARGE=all`, else one that is as well too large for a request. */
const MEMORIES = process.env['LARGE'] === 'all' ? 2_000 : 600;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

function uploads(session_id: string): number {
  const prefix = `parts/${session_id}/`;
  return [...rig.blobs.objects.keys()].filter((key) => key.startsWith(prefix)).length;
}

function kindsOf(request: SandboxRequest | undefined): string[] {
  return (request?.parts ?? []).map((part) => ('url' in part ? 'url' : 'inline'));
}

test(
  'a large store is mounted whole, sent once, and not again for a write to another',
  { timeout: 120_000 },
  async () => {
    const text = 'a line of some length that a memory may have\n'.repeat(60);
    const many = Array.from({ length: MEMORIES }, (_, n): [string, string] => [
      `/topic-${n % 20}/note-${n}.md`,
      `note ${n}\n${text}`,
    ]);
    const big = await storeWith(rig, Object.fromEntries(many));
    const small = await storeWith(rig, { '/a': 'a' });
    const use = withStores(
      rig,
      'sesn_many',
      mountOf(big, 'read_write', '/mnt/memory/big'),
      mountOf(small, 'read_write', '/mnt/memory/small'),
    );
    const count = 'find /mnt/memory/big -type f | wc -l; cat /mnt/memory/big/topic-7/note-587.md';
    expect(await use('bash', { command: count })).toMatch(
      new RegExp(`^\\s*${MEMORIES}\\nnote 587\\n`),
    );
    expect(kindsOf(rig.sandbox.requests.at(-1))).toEqual(['inline', 'url', 'inline']);
    expect(uploads('sesn_many')).toBe(1);
    const asked = rig.blobs.requests.length;
    await use('bash', { command: 'echo own > f; echo b > /mnt/memory/small/b' });
    expect(await use('bash', { command: 'cat f /mnt/memory/small/b' })).toBe('own\nb');
    expect(uploads('sesn_many')).toBe(1);
    // The sandbox has kept the part that it was sent before.
    expect(rig.blobs.requests.length).toBe(asked);
    const command =
      'cd /mnt/memory/big; rm topic-1/note-1.md; echo new > topic-2/note-2.md; mv topic-3/note-3.md x; cd';
    await use('bash', { command });
    await use('write', { file_path: '/mnt/memory/big/large', content: 'x'.repeat(50_000) });
    expect(
      await use('bash', {
        command:
          'cd /mnt/memory/big; find . -type f | wc -l; cat topic-2/note-2.md; head -1 x; wc -c < large; ls topic-1/note-1.md',
      }),
    ).toMatch(new RegExp(`${MEMORIES}\\nnew\\nnote 3\\n50000\\n.*No such file`, 's'));
    expect(rig.sandbox.requests.at(-1)?.parts[1]).toMatchObject({
      base_url: expect.any(String),
      gone: expect.arrayContaining(['/mnt/memory/big/topic-1/note-1.md']),
    });
    expect(uploads('sesn_many')).toBe(1);
  },
);

test('stores that are small together stand in the request, and the larger ones do not', async () => {
  const texts = (size: number) =>
    Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`/${n}`, 'x'.repeat(size)]));
  const ids = await Promise.all(
    [4_000, 3_000, 1_000].map(async (size) => await storeWith(rig, texts(size))),
  );
  const mounts = ids.map((id, index) => mountOf(id, 'read_only', `/mnt/memory/s${index}`));
  const use = withStores(rig, 'sesn_fit', ...mounts);
  expect(await use('bash', { command: 'cat /mnt/memory/s*/5 | wc -c' })).toMatch(/^\s*8000$/);
  expect(kindsOf(rig.sandbox.requests.at(-1))).toEqual(['inline', 'inline', 'inline', 'inline']);
  const four = await storeWith(rig, texts(4_090));
  const wide = withStores(
    rig,
    'sesn_fit_not',
    ...mounts,
    mountOf(four, 'read_only', '/mnt/memory/s3'),
  );
  expect(await wide('bash', { command: 'cat /mnt/memory/s*/5 | wc -c' })).toMatch(/^\s*12090$/);
  expect(kindsOf(rig.sandbox.requests.at(-1))).toEqual([
    'inline',
    'inline',
    'inline',
    'inline',
    'url',
  ]);
});
