/** Every way in which a dream can end before it is done, on the local host: the input is never touched. */
import type { BetaDream } from '@anthropic-ai/sdk/resources/beta/dreams';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { fail } from '../../model/replies.ts';
import { all } from '../../rig.ts';
import { askedFor } from './dreamer.ts';
import { startDreamRig, type DreamRig } from './rig.ts';

const memories = { '/notes/ports.md': 'ports: the staging port is 8080.\n' };

let rig: DreamRig;
let session_id: string;
let store_id: string;

beforeAll(async () => {
  rig = await startDreamRig();
  store_id = await rig.store(memories);
  // Two pieces of what is read: a dream can be stopped between them.
  const lesson = 'LESSON about ports: the staging port is 8443.';
  session_id = await rig.talk(lesson, 'x'.repeat(limits.piece_chars_max));
});
afterAll(async () => {
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});

/** Do something once, before the dream function's first call that names `what`; at once without. */
async function endedBy(
  what: string | undefined,
  work: (id: string) => Promise<unknown>,
  more: Parameters<DreamRig['dream']>[2] = {},
  sessions: readonly string[] = [session_id],
): Promise<BetaDream> {
  let done: Promise<unknown> | undefined;
  let begin: (id: string) => void = () => undefined;
  const begun = new Promise<string>((resolve) => (begin = resolve));
  rig.onCall = async ({ resource, body }) => {
    const names = what === undefined || `${resource} ${JSON.stringify(body)}`.includes(what);
    if (names) await (done ??= begun.then(work));
  };
  const { output_behavior } = more;
  const target =
    output_behavior?.type === 'update_existing' ? output_behavior.memory_store_id : store_id;
  const { id } = await rig.dream(target, sessions, more);
  begin(id);
  const dream = await rig.settled(id);
  rig.onCall = () => undefined;
  expect(done).toBeDefined();
  await done;
  return dream;
}

const places = [
  ['while it is pending', undefined],
  ['while it gathers', 'snapshot.json'],
  ['between two pieces', 'pieces/0/0.json'],
  ['while it consolidates', 'consolidated.json'],
  ['while it verifies', 'verified.json'],
  ['at the gate', 'gate.json'],
  ['while it publishes', 'report.json'],
] as const;

test.each(places)('a dream that is canceled %s is canceled, once', async (title, place) => {
  const before = await rig.hash(store_id);
  const canceled: BetaDream[] = [];
  const dream = await endedBy(place, async (id) => {
    canceled.push(await rig.client.beta.dreams.cancel(id));
    canceled.push(await rig.client.beta.dreams.cancel(id));
  });
  expect(dream).toMatchObject({ status: 'canceled', error: null });
  for (const each of canceled)
    expect(each).toMatchObject({ status: 'canceled', ended_at: dream.ended_at });
  expect(await rig.hash(store_id)).toBe(before);
  // Usage is shown as it goes.
  const has_asked = !['while it is pending', 'while it gathers'].includes(title);
  expect((canceled[0]?.usage.output_tokens ?? 0) > 0).toBe(has_asked);
  const pieces = all(await rig.events(dream.session_id ?? '').catch(() => []), 'agent.message');
  if (place === 'pieces/0/0.json') expect(pieces).toHaveLength(1);
  await expect(rig.client.beta.dreams.archive(dream.id)).resolves.toMatchObject({
    archived_at: expect.any(String),
  });
});

test.each([
  ['before it is read', undefined],
  ['after it was read', 'verified.json'],
  ['before what it said is written down', 'left-out.json'],
])('a session that is deleted %s fails the dream as unavailable', async (_, place) => {
  const gone = await rig.talk('LESSON about tea: use fresh water.');
  const before = await rig.hash(store_id);
  const remove = async () => await rig.client.beta.sessions.delete(gone);
  const dream = await endedBy(place, remove, {}, [session_id, gone]);
  expect(dream).toMatchObject({ status: 'failed', error: { type: 'input_session_unavailable' } });
  expect(dream.error?.message).toContain(gone);
  expect(await rig.hash(store_id)).toBe(before);
});

test.each(['archive', 'delete'] as const)(
  'a store that is gone by %s before it is written into fails the dream as unavailable',
  async (way) => {
    const target = await rig.store(memories);
    const output_behavior = { type: 'update_existing' as const, memory_store_id: target };
    const fresh = await rig.talk('LESSON about ports: the staging port is 8443.');
    const remove = async () => await rig.client.beta.memoryStores[way](target);
    const dream = await endedBy('gate.json', remove, { output_behavior }, [fresh]);
    expect(dream).toMatchObject({
      status: 'failed',
      error: { type: 'input_memory_store_unavailable' },
    });
    if (way === 'archive') expect(await rig.texts(target)).toEqual(memories);
  },
);

test('a model that fails for good fails the dream, and each of its requests has an end', async () => {
  rig.answers = (request) => (askedFor(request) === 'operations' ? fail(402) : undefined);
  const before = await rig.hash(store_id);
  const { id } = await rig.dream(store_id, [session_id]);
  const dream = await rig.settled(id);
  rig.answers = () => undefined;
  expect(dream).toMatchObject({ status: 'failed', error: { type: 'internal_error' } });
  expect(await rig.hash(store_id)).toBe(before);
  const events = await rig.events(dream.session_id ?? '');
  const ends = all(events, 'span.model_request_end');
  expect(ends.filter(({ is_error }) => is_error)).toHaveLength(1);
  const [error] = all(events, 'session.error');
  expect(error?.error).toMatchObject({ message: dream.error?.message });
  expect(ends).toHaveLength(all(events, 'span.model_request_start').length);
});
