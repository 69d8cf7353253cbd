/**
 * Memory stores in sessions of the local host: mounted with the step's own rights, told to the model,
 * written as versions, seen by other sessions. The model is scripted.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, reply, say } from '../../model/replies.ts';
import { all, message, startRig, type Event, type Rig } from '../../rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

async function storeWith(name: string, memories: Readonly<Record<string, string>>) {
  const { id } = await rig.client.beta.memoryStores.create({ name, description: `About ${name}` });
  for (const [path, content] of Object.entries(memories)) {
    // oxlint-disable-next-line no-await-in-loop -- a few
    await rig.client.beta.memoryStores.memories.create(id, { path, content });
  }
  return id;
}

async function sessionWith(
  memory_store_id: string,
  access: 'read_only' | 'read_write' = 'read_write',
  instructions?: string,
) {
  const resource = { type: 'memory_store' as const, memory_store_id, access };
  return await rig.session(
    {},
    { resources: [instructions === undefined ? resource : { ...resource, instructions }] },
  );
}

function resultsOf(events: readonly Event[]): string[] {
  return all(events, 'agent.tool_result').map(({ content, is_error }) => {
    const text = content?.map((block) => (block.type === 'text' ? block.text : '')).join('') ?? '';
    return is_error === true ? `! ${text}` : text;
  });
}

async function textsOf(store_id: string): Promise<Record<string, string | null | undefined>> {
  const found: Record<string, string | null | undefined> = {};
  const list = rig.client.beta.memoryStores.memories.list(store_id, { view: 'full', limit: 20 });
  for await (const item of list) if (item.type === 'memory') found[item.path] = item.content;
  return found;
}

test('an agent reads and writes a store, is told of it the same way each time, and leaves versions', async () => {
  const large = 'a long line of text\n'.repeat(500);
  const store_id = await storeWith('User Preferences', {
    '/likes.md': 'tea\n',
    '/large.md': large,
    '/_index.md': '- /likes.md: what they like\n',
  });
  const M = '/mnt/memory/user-preferences';
  rig.model.onTurns(
    'memory',
    reply(
      call('bash', {
        command: `cat ${M}/likes.md; wc -l < ${M}/large.md; mv ${M}/large.md ${M}/moved.md`,
      }),
      call('write', { file_path: `${M}/people/ada.md`, content: large }),
    ),
    call('edit', { file_path: `${M}/likes.md`, old_string: 'tea', new_string: 'coffee' }),
    say('done'),
  );
  const id = await sessionWith(store_id, 'read_write', 'Keep it short.');
  await rig.send(id, message('memory'));
  const events = await rig.rested(id);
  expect(resultsOf(events).toSorted()).toEqual([
    `Edited ${M}/likes.md: 1 replacement.`,
    `Wrote 10000 bytes to ${M}/people/ada.md.`,
    'tea\n500',
  ]);
  expect(await textsOf(store_id)).toEqual({
    '/_index.md': '- /likes.md: what they like\n',
    '/likes.md': 'coffee\n',
    '/moved.md': large,
    '/people/ada.md': large,
  });
  const versions = [];
  const list = rig.client.beta.memoryStores.memoryVersions.list(store_id, { session_id: id });
  for await (const version of list) versions.push(version);
  expect(versions.map(({ operation, path }) => `${operation} ${path}`).toSorted()).toEqual([
    'created /people/ada.md',
    'modified /likes.md',
    'modified /moved.md',
  ]);
  for (const { created_by } of versions) {
    expect(created_by).toEqual({ type: 'session_actor', session_id: id });
  }
  const systems = rig.model.requests
    .filter(({ body }) => JSON.stringify(body.messages).includes('"memory"'))
    .map(({ body }) => JSON.stringify(body.system));
  expect(new Set(systems).size).toBe(1);
  const [system = ''] = systems;
  for (const part of [M, 'About User Preferences', 'Keep it short.', 'what they like']) {
    expect(system).toContain(part);
  }
});

test('two sessions on one store see each other\u2019s writes at their next call', async () => {
  const store_id = await storeWith('Shared', { '/a': 'begin\n' });
  const M = '/mnt/memory/shared';
  rig.model.onTurns(
    'first',
    call('bash', { command: `cat ${M}/a; echo one > ${M}/one` }),
    say('ok'),
    call('bash', { command: `ls ${M}; cat ${M}/two` }),
    say('ok'),
  );
  rig.model.onTurns(
    'second',
    call('bash', { command: `cat ${M}/one; echo two > ${M}/two; rm ${M}/a` }),
    say('ok'),
  );
  const [one, two] = [await sessionWith(store_id), await sessionWith(store_id)];
  await rig.send(one, message('first'));
  await rig.rested(one);
  await rig.send(two, message('second'));
  expect(resultsOf(await rig.rested(two))).toEqual(['one']);
  await rig.send(one, message('go on'));
  expect(resultsOf(await rig.rested(one, 2)).at(-1)).toBe('one\ntwo\ntwo');
  expect(await textsOf(store_id)).toEqual({ '/one': 'one\n', '/two': 'two\n' });
});

test('a read-only store is read and never written, and one that is archived says why', async () => {
  const store_id = await storeWith('Rules', { '/rule.md': 'be kind\n' });
  const M = '/mnt/memory/rules';
  const writes = [
    call('write', { file_path: `${M}/rule.md`, content: 'x' }),
    call('edit', { file_path: `${M}/rule.md`, old_string: 'kind', new_string: 'x' }),
    call('bash', { command: `echo x > ${M}/rule.md; rm -rf ${M}; cat ${M}/rule.md` }),
  ];
  rig.model.onTurns('rules', reply(...writes), say('ok'));
  const id = await sessionWith(store_id, 'read_only');
  const writer = await sessionWith(store_id);
  await rig.send(id, message('rules'));
  const results = resultsOf(await rig.rested(id));
  expect(results).toHaveLength(3);
  for (const said of results) expect(said).toMatch(/^! .*read-only file system/s);
  expect(results.filter((said) => said.includes('be kind'))).toHaveLength(1);
  await rig.client.beta.memoryStores.archive(store_id);
  await rig.send(writer, message('rules'));
  for (const said of resultsOf(await rig.rested(writer))) {
    expect(said).toContain('the memory store was archived');
  }
  expect(await textsOf(store_id)).toEqual({ '/rule.md': 'be kind\n' });
});

test('sessions that race for one memory: what loses is kept beside, with its object', async () => {
  const store_id = await storeWith('Race', { '/log': 'begin\n' });
  const M = '/mnt/memory/race';
  const sessions = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const text = `line ${index} `.repeat(800);
      rig.model.onTurns(
        `race ${index}`,
        call('bash', { command: `echo "${text}" >> ${M}/log` }),
        say('ok'),
      );
      const id = await sessionWith(store_id);
      return { id, index };
    }),
  );
  await Promise.all(
    sessions.map(async ({ id, index }) => await rig.send(id, message(`race ${index}`))),
  );
  const said = await Promise.all(
    sessions.map(async ({ id, index }) => ({ index, results: resultsOf(await rig.rested(id)) })),
  );
  const texts = await textsOf(store_id);
  for (const { index, results } of said) {
    const [, path = '/log'] =
      /version is in \/mnt\/memory\/race(\S+)\./.exec(results[0] ?? '') ?? [];
    expect(texts[path]).toContain(`line ${index} `);
  }
});
