/** What an operator does with a dream, on the local host, from the sessions to the rollback. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
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
    expect(await (await own.reportMarkdown(id)).text()).toContain('8443');
    await own.acceptAll(id);
    const apply = await own.apply(id, { memory_store_id: store_id });
    expect(apply).toMatchObject({ state: 'applied', applied_count: changes.length });
    expect((await rig.texts(store_id))['/notes/ports.md']).toContain('8443');
    const back = await own.rollBack(id, apply.id);
    expect(back).toMatchObject({ state: 'rolled_back', rolled_back_count: changes.length });
    expect(await rig.texts(store_id)).toMatchObject(memories);
  },
);
