/** What is said in a dream's session by many at once: together where that can be, and each as if alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import type { Table, Write } from '#shared/core/table.ts';
import { dreamKey, type DreamHead } from '#shared/dreams/dream.ts';
import { say, type Said } from '#shared/dreams/stages/pipeline-log.ts';
import { noRequestUsage } from '#shared/models/model.ts';
import { sessionKey } from '#shared/sessions/session.ts';
import { walkLog } from '#shared/threads/log.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, append, headOf, putSession, testPorts } from '../../sessions.ts';
import { putDream } from '../reviews/review-rig.ts';
import { aSnapshot } from './samples.ts';

let started: StartedTable;
beforeAll(async () => {
  started = await startTable();
});
afterAll(async () => await started.stop());

/** A dream whose session runs, and a table that counts transactions. */
async function aDream() {
  const base = testPorts(started.table);
  const call = aCall();
  const { session_id, thread_id } = await putSession(base, call);
  await append(base, thread_id, [], { status: 'running' });
  const fabricated = { ...call, store_id: 'memstore_1', snapshot: aSnapshot(), operations: [] };
  const changed = { status: 'running', pipeline_session_id: session_id } as const;
  const dream_id = await putDream(base, fabricated, changed);
  const dream = (await started.table.get(dreamKey(dream_id))) as DreamHead;
  const sizes: number[] = [];
  const counting: Pick<Table, 'get' | 'transact'> = {
    get: started.table.get.bind(started.table),
    transact: async (writes) => {
      sizes.push(writes.length);
      await started.table.transact(writes);
    },
  };
  const store = { ...base, table: counting as Table };
  const said = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const page of walkLog(started.table, thread_id))
      ids.push(...page.map(({ id }) => id));
    return ids;
  };
  return {
    base,
    dream,
    session_id,
    thread_id,
    sizes,
    said,
    say: async (one: Said) => await say(store, dream, one),
  };
}

const row = (dream: DreamHead, sk: string, more: object = {}): Write => ({
  put: { ...dreamKey(dream.dream_id), sk, ...more },
  condition: 'attribute_not_exists(pk)',
});

const line = () => ({ event: { id: newId('event'), type: 'span.model_request_start' as const } });

test('thirty that speak at once are a few transactions, in their order, and each is counted once', async () => {
  const { base, dream, session_id, thread_id, sizes, said, say: speak } = await aDream();
  const lines = Array.from({ length: 30 }, line);
  const usage = { ...noRequestUsage, input_tokens: 2, cost_microcents: 3 };
  const told = lines.map((one, n) =>
    speak({ lines: [one], writes: [row(dream, `N#${n}`)], usage }),
  );
  expect(await Promise.all(told)).toEqual(lines.map(() => true));
  expect(sizes.length).toBeLessThan(5);
  expect(await said()).toEqual(lines.map(({ event }) => event.id));
  const after = (await started.table.get(dreamKey(dream.dream_id))) as DreamHead;
  expect(after.usage.input_tokens).toBe(60);
  expect(after.cost_microcents).toBe(90);
  expect(await started.table.get(sessionKey(session_id))).toMatchObject({
    usage: { input_tokens: 60, cost_microcents: 90 },
  });
  expect((await headOf(base, thread_id)).usage).toMatchObject({ input_tokens: 60 });
});

test('who was written before is refused alone', async () => {
  const { dream, said, say: speak } = await aDream();
  const lines = Array.from({ length: 4 }, line);
  await started.table.transact([row(dream, 'N#2')]);
  const told = lines.map((one, n) => speak({ lines: [one], writes: [row(dream, `N#${n}`)] }));
  expect(await Promise.all(told)).toEqual([true, true, false, true]);
  expect(await said()).toEqual([0, 1, 3].map((n) => lines[n]?.event.id));
});

test('two that write one row are two transactions, of which the second is refused', async () => {
  const { dream, said, say: speak } = await aDream();
  const lines = Array.from({ length: 3 }, line);
  const told = ['a', 'b', 'b'].map((name, n) =>
    speak({ lines: lines.slice(n, n + 1), writes: [row(dream, `N#${name}`)] }),
  );
  expect(await Promise.all(told)).toEqual([true, true, false]);
  expect(await said()).toEqual(lines.slice(0, 2).map(({ event }) => event.id));
});

test('the fault of one is not that of the others', async () => {
  const { dream, said, say: speak } = await aDream();
  const lines = Array.from({ length: 4 }, line);
  const too_large = { text: 'x'.repeat(450_000) };
  const told = lines.map((one, n) =>
    speak({ lines: [one], writes: [row(dream, `N#${n}`, n === 2 ? too_large : {})] }),
  );
  const ends = await Promise.allSettled(told);
  expect(ends.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(await said()).toEqual([0, 1, 3].map((n) => lines[n]?.event.id));
});
