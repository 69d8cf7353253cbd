import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { countObjects } from '#shared/tools/repack.ts';
import { inSession, startRig, type Rig } from './rig.ts';

/** A session whose contents came one by one: each call's own object, until they are brought together. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig.stop();
});

test(
  'too many objects are brought together, and every file keeps its bytes and its version',
  { timeout: 60_000 },
  async () => {
    const written_by = { thread_id: 'sthr_1', event_id: 'sevt_1' };
    const count = limits.session_objects_max + 5;
    for (let index = 0; index < count; index++) {
      await rig.files.write('sesn_pack', `/tmp/f${index}`, Buffer.alloc(5_000 + index, index), {
        workspace_id: 'wrkspc_1',
        written_by,
      });
    }
    const before = (await rig.files.manifests.read('sesn_pack')).manifest;
    expect(countObjects(before)).toBe(count);
    expect(await inSession(rig, 'sesn_pack')('bash', { command: 'cat /tmp/f* | wc -c' })).toMatch(
      /^\s*\d+$/,
    );
    expect(rig.sandbox.requests.map(({ call }) => call.tool)).toEqual(['repack', 'bash']);
    const { manifest } = await rig.files.manifests.read('sesn_pack');
    expect(countObjects(manifest)).toBeLessThanOrEqual(limits.session_objects_max / 2 + 1);
    for (const [path, entry] of before.entries) {
      expect(manifest.entries.get(path)).toMatchObject({ version: entry.version, written_by });
    }
    const last = await rig.files.read('sesn_pack', `/tmp/f${count - 1}`);
    expect(Buffer.from(last.bytes).equals(Buffer.alloc(5_000 + count - 1, count - 1))).toBe(true);
  },
);
