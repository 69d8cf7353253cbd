/** What is below /mnt/session/outputs is a file of the Files API, row by row. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileKey, scopePartition, type ApiFile } from '#shared/api-files/api-file.ts';
import { inSession, startRig, type Rig } from '../tools/rig.ts';

const written_by = { thread_id: 'sthr_1', event_id: 'sevt_1' };
const by = { workspace_id: 'wrkspc_1', written_by };

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => await rig.stop());

async function listed(session_id: string): Promise<ApiFile[]> {
  const pk = scopePartition(session_id);
  const { rows } = await rig.table.query({ pk, index: 'list', from: ' ', to: '~' });
  const found = await rig.table.getMany(rows.map((row) => ({ pk: row.pk, sk: 'HEAD' })));
  expect(found).toHaveLength(rows.length);
  return found as ApiFile[];
}

const outputsOf = async (session_id: string): Promise<unknown> =>
  (await listed(session_id)).map(({ filename, size_bytes }) => [filename, size_bytes]);

test('a file is listed while it is there, as what it holds now', async () => {
  const run = inSession(rig, 'sesn_out');
  await run('write', { file_path: '/mnt/session/outputs/a/report.csv', content: 'a,b' });
  await run('write', { file_path: '/mnt/session/uploads/report.csv', content: 'elsewhere' });
  const [first] = await listed('sesn_out');
  expect(first).toMatchObject({
    workspace_id: 'wrkspc_1',
    filename: 'report.csv',
    mime_type: 'text/csv',
    size_bytes: 3,
    downloadable: true,
    state: 'ready',
    scope: { type: 'session', id: 'sesn_out' },
    source: { path: '/mnt/session/outputs/a/report.csv' },
  });
  const entry = (await rig.files.list('sesn_out', '/mnt/session/outputs'))[0];
  expect(first?.file_id).toBe(`file_${entry?.version}`);

  await run('edit', {
    file_path: '/mnt/session/outputs/a/report.csv',
    old_string: 'b',
    new_string: 'bcd',
  });
  expect(await outputsOf('sesn_out')).toEqual([['report.csv', 5]]);
  expect(await rig.table.get(fileKey(first?.file_id ?? ''))).toBeUndefined();

  await run('bash', { command: 'cd /mnt/session/outputs && mv a/report.csv z.csv && mkdir b' });
  expect(await outputsOf('sesn_out')).toEqual([['z.csv', 5]]);
  const [moved] = await listed('sesn_out');
  await run('bash', { command: 'touch /mnt/session/outputs/z.csv' });
  expect((await listed('sesn_out'))[0]?.file_id).toBe(moved?.file_id);

  await run('bash', { command: 'rm /mnt/session/outputs/z.csv' });
  expect(await outputsOf('sesn_out')).toEqual([]);
});

test('more outputs than one transaction holds are all listed, and all go', async () => {
  const run = inSession(rig, 'sesn_outs');
  const text = await run('bash', {
    command:
      'cd /mnt/session/outputs && for i in $(seq 1 50); do echo $i > f$i; echo $i > /tmp/f$i; done',
  });
  expect(text).toBe('');
  expect(await listed('sesn_outs')).toHaveLength(50);
  await run('bash', { command: 'rm /mnt/session/outputs/f*' });
  expect(await listed('sesn_outs')).toEqual([]);
});

test('what the platform itself writes and removes there is listed likewise', async () => {
  const path = '/mnt/session/outputs/x.md';
  await rig.files.write('sesn_own', path, Buffer.from('x'), by);
  expect(await outputsOf('sesn_own')).toEqual([['x.md', 1]]);
  await rig.files.delete('sesn_own', path, by);
  expect(await outputsOf('sesn_own')).toEqual([]);
});
