/**
 * Dreams on the local host, from the SDK's call to the report: with a dreamer by rule, so that every
 * difference in what comes out is the machinery's. The input store is hashed before and after.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, fail } from '../../model/replies.ts';
import { all, only } from '../../rig.ts';
import { askedFor } from './dreamer.ts';
import { startDreamRig, type DreamRig } from './rig.ts';

const memories = {
  '/notes/ports.md': 'ports: the staging port is 8080.\n',
  '/notes/untouched.md': 'The office is in Berlin.\n',
  '/large.md': 'A long memory of no concern.\n'.repeat(300),
};

let rig: DreamRig;
let sessions: string[];
/** Made before the sessions: what is older than a memory does not change it. */
const stores: string[] = [];

beforeAll(async () => {
  rig = await startDreamRig();
  for (let n = 0; n < 12; n++) stores.push(await rig.store(memories));
  sessions = [
    await rig.talk('LESSON about kettles: descale them monthly.', 'Thanks.'),
    await rig.talk('LESSON about ports: the staging port is 8443.'),
    await rig.talk('Nothing of note.'),
  ];
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

function newStore(): string {
  return stores.pop() ?? '';
}

test('a dream copies the store, changes the copy by what sessions say, and leaves the input', async () => {
  rig.answers = () => undefined;
  const store_id = newStore();
  const before = await rig.hash(store_id);
  const instructions = 'Look at kettles first.';
  const { id } = await rig.dream(store_id, sessions, { instructions });
  const dream = await rig.settled(id);
  expect(dream).toMatchObject({ status: 'completed', error: null, ended_at: expect.any(String) });
  expect(await rig.hash(store_id)).toBe(before);

  const [output] = dream.outputs;
  expect(output?.memory_store_id).not.toBe(store_id);
  const after = await rig.texts(output?.memory_store_id ?? '');
  expect(after['/notes/untouched.md']).toBe(memories['/notes/untouched.md']);
  expect(after['/large.md']).toBe(memories['/large.md']);
  expect(after['/notes/ports.md']).toContain('8443');
  // The loser is on record.
  expect(after['/notes/ports.md']).toContain('Superseded: "ports: the staging port is 8080."');
  expect(Object.values(after).join('\n')).toContain('descale them monthly');
  const listed = [];
  for await (const store of rig.client.beta.memoryStores.list()) listed.push(store.id);
  expect(listed).toContain(output?.memory_store_id);

  // Four stages have asked, and what they used is what the dream says.
  const asked = rig.model.requests.filter((request) => askedFor(request) !== undefined);
  expect(new Set(asked.map(askedFor))).toContain('verdicts');
  // Those that choose are told what is wanted, those that check are not.
  const steered = asked.filter(({ body }) => JSON.stringify(body.system).includes(instructions));
  expect(new Set(steered.map(askedFor))).toEqual(new Set(['lessons', 'operations']));
  expect(dream.usage.output_tokens).toBeGreaterThan(0);
  expect(dream.usage.input_tokens).toBeGreaterThan(0);
});

test('its session can be watched, is archived at the end, and wrote what changed in the copy', async () => {
  rig.answers = () => undefined;
  const store_id = newStore();
  const { id } = await rig.dream(store_id, sessions);
  const dream = await rig.settled(id);
  const session_id = dream.session_id ?? '';
  const session = await rig.client.beta.sessions.retrieve(session_id);
  expect(session).toMatchObject({ status: 'terminated', agent: { name: 'reverie.dreamer' } });
  expect(session.archived_at).not.toBeNull();
  const events = await rig.events(session_id);
  only(events, 'session.status_running');
  only(events, 'session.status_terminated');
  const said = all(events, 'agent.message').map(({ content }) => JSON.stringify(content));
  expect(said.filter((text) => text.includes('descale'))).toHaveLength(1);
  // One for each piece, and the last word.
  expect(said).toHaveLength(sessions.length + 1);
  // Each request is a span, and their sums are what the session and the dream have used.
  const starts = all(events, 'span.model_request_start').map((event) => event.id);
  const ends = all(events, 'span.model_request_end');
  expect(ends.map((end) => end.model_request_start_id).toSorted()).toEqual(starts.toSorted());
  const sum = (of: (end: (typeof ends)[number]) => number) =>
    ends.reduce((total, end) => total + of(end), 0);
  expect(sum(({ model_usage }) => model_usage.output_tokens)).toBe(dream.usage.output_tokens);
  expect(session.usage.output_tokens).toBe(dream.usage.output_tokens);
  expect(session.usage.input_tokens).toBe(sum(({ model_usage }) => model_usage.input_tokens));

  const output = dream.outputs[0]?.memory_store_id ?? '';
  const written = [];
  const { memoryVersions } = rig.client.beta.memoryStores;
  for await (const { path, operation, created_by } of memoryVersions.list(output)) {
    if (created_by?.type === 'session_actor' && created_by.session_id === session_id) {
      written.push(`${operation} ${path}`);
    }
  }
  expect(written).toContain('modified /notes/ports.md');
  // What was copied stays the work of who had written it.
  expect(written.filter((one) => one.includes('untouched'))).toEqual([]);
  await rig.client.beta.sessions.delete(session_id);
});

test('where there is nothing to learn the copy is the input, and nobody is asked to change it', async () => {
  rig.answers = () => undefined;
  const store_id = newStore();
  const from = rig.model.requests.length;
  const { id } = await rig.dream(store_id, [sessions[2] ?? '']);
  const dream = await rig.settled(id);
  expect(dream.status).toBe('completed');
  expect(await rig.texts(dream.outputs[0]?.memory_store_id ?? '')).toEqual(memories);
  const asked = rig.model.requests.slice(from).map(askedFor);
  expect(asked).toEqual(['lessons']);
  const said = all(await rig.events(dream.session_id ?? ''), 'agent.message').at(-1);
  expect(JSON.stringify(said)).toContain('Nothing was changed');
});

test('an existing store is written into, under its own ids, and is free afterwards', async () => {
  rig.answers = () => undefined;
  const store_id = newStore();
  const target = {
    output_behavior: { type: 'update_existing' as const, memory_store_id: store_id },
  };
  const { id } = await rig.dream(store_id, sessions, target);
  await expect(rig.dream(store_id, sessions, target)).rejects.toMatchObject({ status: 409 });
  const dream = await rig.settled(id);
  expect(dream.outputs).toEqual([{ type: 'memory_store', memory_store_id: store_id }]);
  const after = await rig.texts(store_id);
  expect(after['/notes/ports.md']).toContain('8443');
  expect(after['/large.md']).toBe(memories['/large.md']);
  const next = await rig.dreamWhenFree(store_id, [sessions[2] ?? ''], target);
  expect((await rig.settled(next.id)).status).toBe('completed');
});

test('an answer that cannot be used costs its piece and no more', async () => {
  rig.answers = (request) =>
    askedFor(request) === 'lessons' && JSON.stringify(request.body).includes('kettles')
      ? answer({ lessons: 'none' })
      : undefined;
  const store_id = newStore();
  const { id } = await rig.dream(store_id, sessions);
  const dream = await rig.settled(id);
  expect(dream.status).toBe('completed');
  const after = await rig.texts(dream.outputs[0]?.memory_store_id ?? '');
  expect(after['/notes/ports.md']).toContain('8443');
  expect(Object.values(after).join('\n')).not.toContain('descale');
});

test('a model that is overloaded is waited for', async () => {
  let refusals = 3;
  rig.answers = (request) =>
    askedFor(request) === 'operations' && refusals-- > 0 ? fail(529) : undefined;
  const store_id = newStore();
  const { id } = await rig.dream(store_id, sessions);
  expect((await rig.settled(id)).status).toBe('completed');
  expect(refusals).toBeLessThan(0);
});

test('a model that refuses the key ends the dream, which says so, and the copy is kept', async () => {
  rig.answers = (request) => (askedFor(request) === 'operations' ? fail(402) : undefined);
  const store_id = newStore();
  const before = await rig.hash(store_id);
  const { id } = await rig.dream(store_id, sessions);
  const dream = await rig.settled(id);
  expect(dream).toMatchObject({ status: 'failed', error: { type: 'internal_error' } });
  expect(await rig.texts(dream.outputs[0]?.memory_store_id ?? '')).toEqual(memories);
  expect(await rig.hash(store_id)).toBe(before);
});

const stages = ['lessons', 'operations', 'verdicts'];
test.each(stages)(
  'a dream that is canceled at %s stops there and frees its store',
  async (tool) => {
    const store_id = newStore();
    const before = await rig.hash(store_id);
    let canceling: Promise<unknown> | undefined;
    let id = '';
    rig.answers = async (request) => {
      if (askedFor(request) === tool) await (canceling ??= rig.client.beta.dreams.cancel(id));
      return undefined;
    };
    const target = {
      output_behavior: { type: 'update_existing' as const, memory_store_id: store_id },
    };
    ({ id } = await rig.dream(store_id, sessions, target));
    const dream = await rig.settled(id);
    expect(dream.status).toBe('canceled');
    // The input was the output, and nothing was written into it yet.
    expect(await rig.hash(store_id)).toBe(before);
    rig.answers = () => undefined;
    await rig.dreamWhenFree(store_id, sessions, target);
  },
);
