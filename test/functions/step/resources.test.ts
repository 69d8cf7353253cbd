/**
 * What a live session works with: mounted files reach the agent, also while it runs, and what it
 * hands over is listed before it rests. Everything but the model is what deploys.
 */
import { toFile } from '@anthropic-ai/sdk';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, say, slowly } from '../../model/replies.ts';
import { collect } from '../api/door.ts';
import { all, message, only, startRig, typesOf, type Event, type Rig } from '../../rig.ts';

let rig: Rig;
let data_dir: string;
beforeAll(async () => {
  data_dir = await mkdtemp(join(tmpdir(), 'reverie-test-'));
  rig = await startRig({ data_dir });
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
  await rm(data_dir, { recursive: true, force: true });
});

async function upload(text: string, name = 'data.csv'): Promise<string> {
  const { id } = await rig.client.beta.files.upload({
    file: await toFile(Buffer.from(text), name),
  });
  return id;
}

function resultsOf(events: readonly Event[]): string[] {
  return all(events, 'agent.tool_result').map(({ content }) => {
    const [block] = content ?? [];
    return block?.type === 'text' ? block.text : '';
  });
}

const isAbout = (text: string) => (request: string) => request.includes(text);

test('the agent is told of its files, reads them, and hands over what is listed at once', async () => {
  const { beta } = rig.client;
  const file_id = await upload('region,sum\nnorth,1\n');
  rig.model.on(
    'work on it',
    call('bash', { command: 'cat /workspace/in.csv' }),
    call('write', { file_path: '/mnt/session/outputs/report.md', content: '# North\n' }),
    slowly(20, say('Done.')),
  );
  const id = await rig.session(
    {},
    { resources: [{ type: 'file', file_id, mount_path: '/workspace/in.csv' }] },
  );
  await rig.send(id, message('work on it'));
  await rig.until(id, (events) => all(events, 'agent.tool_result').length === 2);
  const before = await collect(beta.files.list({ scope_id: id }));
  const events = await rig.rested(id);
  expect(resultsOf(events)[0]).toBe('region,sum\nnorth,1');
  const request = rig.model.requests.map((one) => JSON.stringify(one)).find(isAbout('work on it'));
  expect(request).toContain('/workspace/in.csv (file)');
  const after = await collect(beta.files.list({ scope_id: id }));
  expect(after).toEqual(before);
  const report = after.find(({ filename }) => filename === 'report.md');
  expect(report).toMatchObject({
    mime_type: 'text/markdown',
    downloadable: true,
    scope: { type: 'session', id },
  });
  const response = await beta.files.download(report?.id ?? '');
  expect(await response.text()).toBe('# North\n');
});

test('a file that is added while the agent works is there at its next tool call', async () => {
  const { resources } = rig.client.beta.sessions;
  const file_id = await upload('late');
  rig.model.on(
    'wait for it',
    call('bash', { command: 'sleep 2; ls /workspace' }),
    call('bash', { command: 'cat /workspace/late.txt' }),
    call('bash', { command: 'sleep 2; ls /workspace' }),
    call('bash', { command: 'ls /workspace' }),
    say('Done.'),
  );
  const session_id = await rig.session();
  await rig.send(session_id, message('wait for it'));
  await rig.until(session_id, (events) => all(events, 'agent.tool_use').length === 1);
  const mount_path = '/workspace/late.txt';
  const added = await resources.add(session_id, { type: 'file', file_id, mount_path });
  await rig.until(session_id, (events) => all(events, 'agent.tool_use').length === 3);
  await resources.delete(added.id, { session_id });
  const events = await rig.rested(session_id);
  const results = resultsOf(events);
  expect(results[1]).toBe('late');
  expect(results[3]).not.toContain('late.txt');
});

test('a repository that cannot be had is told once a turn, and the session goes on without it', async () => {
  rig.model.on('go on', say('Without it.'), say('Still without.'));
  const url = 'https://github.com/reverie-nobody/there-is-no-such-repository-0';
  const authorization_token = 'ghp_never-to-be-seen';
  const resource = { type: 'github_repository', url, authorization_token } as const;
  const id = await rig.session({}, { resources: [resource] });
  await rig.send(id, message('go on'));
  const events = await rig.rested(id);
  const { error } = only(events, 'session.error');
  expect(error).toMatchObject({
    type: expect.stringMatching(/^repository_(clone|not_found|authentication)_error$/),
    repository_url: url,
    retry_status: { type: 'retrying' },
  });
  expect(typesOf(events)).toContain('agent.message');
  expect(JSON.stringify(events)).not.toContain(authorization_token);
  expect(JSON.stringify(rig.model.requests)).not.toContain(authorization_token);
  await rig.send(id, message('and again'));
  expect(all(await rig.rested(id, 2), 'session.error')).toHaveLength(2);
}, 60_000);

test('a deleted session leaves no object', async () => {
  const file_id = await upload('x'.repeat(10_000));
  rig.model.on(
    'make things',
    call('bash', { command: 'cd /mnt/session/outputs; seq 1 20000 > a.txt; cp a.txt b.txt' }),
    say('Done.'),
  );
  const id = await rig.session({}, { resources: [{ type: 'file', file_id }] });
  await rig.send(id, message('make things'));
  await rig.rested(id);
  const objects = async () =>
    (await readdir(data_dir, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile() && one.parentPath.includes(id))
      .map(({ name }) => name);
  expect(await objects()).not.toEqual([]);
  await rig.client.beta.sessions.delete(id);
  await expect.poll(objects, { timeout: 20_000 }).toEqual([]);
  expect(await collect(rig.client.beta.files.list({ scope_id: id }))).toEqual([]);
});
