/** What an operator does with a dream, on the local host, from the sessions to the rollback. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { lookUntil } from '../../look.ts';
import { answer } from '../../model/replies.ts';
import { askedFor } from './dreamer.ts';
import { startDreamRig, type DreamRig } from './rig.ts';

let rig: DreamRig;
let own: ReverieClient['dreams'];
beforeAll(async () => {
  rig = await startDreamRig();
  const { baseURL, apiKey } = rig.client;
  // The checked client knows the SDK's own routes only.
  own = new ReverieClient(new Anthropic({ baseURL, apiKey, maxRetries: 0 })).dreams;
});
afterAll(async () => await rig.close());

const memories = {
  '/notes/ports.md': 'ports: the staging port is 8080.\n',
  '/other.md': 'Kept.\n',
};

test.each(['create_new', 'update_existing'] as const)(
  'the changes of a dream that does %s are seen, applied and rolled back',
  async (type) => {
    const store_id = await rig.store(memories);
    const session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
    const title = '# *Ports*\n<b>of staging</b>';
    await rig.client.beta.sessions.update(session_id, { title });
    const output_behavior = type === 'create_new' ? { type } : { type, memory_store_id: store_id };
    const { id } = await rig.dream(store_id, [session_id], { output_behavior });
    expect(await rig.settled(id)).toMatchObject({ status: 'completed', error: null });
    const report = await own.report(id);
    const { data: changes } = await own.changes(id);
    expect(changes.map((change) => change.id)).toEqual(
      report.operations.map(({ change_id }) => change_id),
    );
    expect(changes.flatMap(({ edits }) => edits.map(({ diff }) => diff)).join('')).toContain(
      '8443',
    );
    expect(report.sessions).toEqual([{ session_id, title }]);
    const markdown = await (await own.reportMarkdown(id)).text();
    expect(markdown).toContain('8443');
    const named = `- \`${session_id}\` (\\# \\*Ports\\* \\<b\\>of staging\\</b\\>)`;
    expect(markdown.split('\n')).toContain(named);
    expect(markdown).toContain(`${named} / \`${report.operations[0]?.evidence[0]?.event_id}\`, `);
    await own.acceptAll(id);
    const apply = await own.apply(id, { memory_store_id: store_id });
    expect(apply).toMatchObject({ state: 'applied', applied_count: changes.length });
    expect((await rig.texts(store_id))['/notes/ports.md']).toContain('8443');
    const back = await own.rollBack(id, apply.id);
    expect(back).toMatchObject({ state: 'rolled_back', rolled_back_count: changes.length });
    expect(await rig.texts(store_id)).toMatchObject(memories);
  },
);

test('a merge into a memory that others change meanwhile ends none of its memories, and says so', async () => {
  const texts = {
    '/notes/ports.md': 'ports: the staging port is 8080 behind the proxy.\n',
    '/notes/harbour.md': 'ports: the staging port is 8080 behind the proxy, for all teams.\n',
  };
  const store_id = await rig.store(texts);
  const session_id = await rig.talk(
    'LESSON about ports: every team of the company shares the staging port 8080.',
  );
  const merge = {
    op: 'merge',
    paths: Object.keys(texts),
    path: '/notes/ports.md',
    text: texts['/notes/harbour.md'],
    reason: 'They say the same.',
    lessons: ['L1'],
  };
  rig.answers = (request) =>
    askedFor(request) === 'operations' ? answer({ operations: [merge] }) : undefined;
  let edited: Promise<unknown> | undefined;
  rig.onCall = async ({ resource }) => {
    if (resource.includes('gate.json')) await (edited ??= edit());
  };
  const edit = async (): Promise<void> => {
    const { memories: all } = rig.client.beta.memoryStores;
    for await (const item of all.list(store_id)) {
      if (item.type !== 'memory' || item.path !== '/notes/ports.md') continue;
      await all.update(item.id, { memory_store_id: store_id, content: 'Mine.\n' });
    }
  };
  const output_behavior = { type: 'update_existing' as const, memory_store_id: store_id };
  const { id } = await rig.dream(store_id, [session_id], { output_behavior });
  expect(await rig.settled(id)).toMatchObject({ status: 'completed' });
  rig.onCall = () => undefined;
  rig.answers = () => undefined;
  expect(edited).toBeDefined();
  expect(await rig.texts(store_id)).toEqual({ ...texts, '/notes/ports.md': 'Mine.\n' });
  const report = await own.report(id);
  expect(report).toMatchObject({ operations: [], dropped_counts: { changed_meanwhile: 1 } });
  expect(report.ledger.entries.map(({ fate }) => fate)).toEqual(['kept', 'kept']);
  const [change] = (await own.changes(id)).data;
  // By place and version, so that who has read it can decide on it.
  const [conflict, ...others] = change?.applies[0]?.conflicts ?? [];
  expect(change).toMatchObject({ state: 'proposed', applies: [{ outcome: 'conflict' }] });
  expect([conflict?.path, conflict?.reason, others.length]).toEqual([
    '/notes/ports.md',
    'changed',
    0,
  ]);
  expect(conflict?.memory_version_id).toMatch(/^memver_/);
});

test('what a dream had written into its own store before it was canceled is an apply that can be taken back', async () => {
  const texts = { '/other.md': 'Kept.\n' };
  const store_id = await rig.store(texts);
  const trees = ['alder', 'beech', 'cedar', 'elm', 'fir', 'hazel', 'larch', 'maple', 'oak', 'palm'];
  const kinds = ['black', 'silver', 'weeping'];
  const all = kinds.flatMap((kind) => trees.map((tree) => `${kind} ${tree}`));
  const session_id = await rig.talk(
    ...all.map((tree, n) => `LESSON about ${tree}: the ${tree} stands on shelf ${n}${n}.`),
  );
  const notes = async () =>
    Object.keys(await rig.texts(store_id)).filter((path) => path.startsWith('/notes/'));
  const output_behavior = { type: 'update_existing' as const, memory_store_id: store_id };
  const { id } = await rig.dream(store_id, [session_id], { output_behavior });
  let canceled: Promise<unknown> | undefined;
  rig.onCall = async ({ action }) => {
    if (!action.includes('TransactWriteItems') || canceled !== undefined) return;
    if ((await notes()).length > 0) await (canceled ??= rig.client.beta.dreams.cancel(id));
  };
  expect(await rig.settled(id)).toMatchObject({ status: 'canceled' });
  rig.onCall = () => undefined;
  const written = (await notes()).length;
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(all.length);
  const [apply] = await lookUntil(
    rig.host,
    async () => {
      const { data } = await own.applies(id);
      return data.length === 0 ? undefined : data;
    },
    { step_ms: 500, stuck: () => 'it has no apply' },
  );
  expect(apply).toMatchObject({ state: 'applied', applied_count: written });
  const { data } = await own.changes(id, { limit: 100 });
  expect(data.filter(({ state }) => state === 'accepted')).toHaveLength(written);
  // What it has read is deleted: its changes go with all that it had worked with, and the apply stays.
  await rig.client.beta.sessions.delete(session_id);
  await lookUntil(
    rig.host,
    async () => ((await own.changes(id)).data.length === 0 ? true : undefined),
    { step_ms: 60_000, stuck: () => 'it has its changes still' },
  );
  const back = await own.rollBack(id, apply?.id ?? '');
  expect(back).toMatchObject({ state: 'rolled_back', rolled_back_count: written });
  expect(await rig.texts(store_id)).toMatchObject(texts);
  expect(await notes()).toEqual([]);
});

test('what a dream has made in its own store, and a person has moved since, is told by a rollback', async () => {
  const store_id = await rig.store({ '/other.md': 'Kept.\n' });
  const session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
  const output_behavior = { type: 'update_existing' as const, memory_store_id: store_id };
  const { id } = await rig.dream(store_id, [session_id], { output_behavior });
  expect(await rig.settled(id)).toMatchObject({ status: 'completed' });
  const { memories: all } = rig.client.beta.memoryStores;
  for await (const item of all.list(store_id, { path_prefix: '/notes/' })) {
    if (item.type !== 'memory') continue;
    await all.update(item.id, { memory_store_id: store_id, path: '/moved.md' });
  }
  const [apply] = (await own.applies(id)).data;
  expect(apply).toMatchObject({ state: 'applied', applied_count: 1 });
  const back = await own.rollBack(id, apply?.id ?? '');
  expect(back).toMatchObject({ rolled_back_count: 0, conflict_count: 1 });
  expect((await rig.texts(store_id))['/moved.md']).toContain('8443');
});

test("what a person accepts as it is stays the dream's own: what was said before the review still changes it", async () => {
  const store_id = await rig.store(memories);
  const first = await rig.talk('LESSON about ports: the staging port is 8443.');
  const second = await rig.talk('LESSON about ports: the staging port is 9443.');
  for (const session_id of [first, second]) {
    const { id } = await rig.dream(store_id, [session_id]);
    expect(await rig.settled(id)).toMatchObject({ status: 'completed' });
    await own.acceptAll(id);
    expect(await own.apply(id, { memory_store_id: store_id })).toMatchObject({ applied_count: 1 });
  }
  const text = (await rig.texts(store_id))['/notes/ports.md'];
  expect(text).toContain('ports: the staging port is 9443.');
});
