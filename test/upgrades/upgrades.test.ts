/**
 * Data that an earlier release has written is read, and gone on with, by this one. Method: what a day on
 * that release has left behind is put into the table and the bucket of a fresh host, over their wire, and
 * everything of it is asked for through the official SDK and the own client. The state machines are those
 * of that release too: what ran when it was upgraded goes on by them, with the functions of this one. A session with a sealed
 * token is not among it: the key of one account opens nothing that another one's has sealed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReverieClient } from '#shared/client/reverie-client.ts';
import { all, message, startRig, type Rig } from '../rig.ts';
import { ownClient, otherwise, until, type Day } from './day.ts';
import { loadFixture, readDay, readItems, versions, withMachinesOf } from './fixture.ts';

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('there is a fixture of every release so far, and every row of it says how it is laid out', async () => {
  expect(versions()).toContain('0.1.0');
  for (const version of versions()) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const items = await readItems(version);
    const odd = items.filter(({ schema }) => schema?.N !== '1');
    expect(odd.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)).toEqual([]);
  }
});

describe.each(versions())('what release %s has left behind', (version) => {
  let rig: Rig;
  let own: ReverieClient;
  let day: Day;
  beforeAll(async () => {
    rig = await startRig({ template: await withMachinesOf(version) });
    rig.model.otherwise(otherwise);
    own = ownClient(rig);
    day = await readDay(version);
    await loadFixture(rig.host, version);
  });
  afterAll(async () => {
    expect(rig.model.violations).toEqual([]);
    expect(rig.checked.violations).toEqual([]);
    await rig.close();
  });

  test('agents, environments and files are listed and read', async () => {
    const { agents, environments, files } = rig.client.beta;
    const listed = await collect(agents.list());
    expect(listed.map(({ id }) => id)).toContain(day.agent_id);
    expect(await agents.retrieve(day.agent_id)).toMatchObject({
      version: 2,
      system: 'You are careful.',
      metadata: { team: 'ledger' },
    });
    const before = await collect(agents.versions.list(day.agent_id));
    expect(before.map((each) => each.version)).toEqual([2, 1]);
    expect((await collect(environments.list())).length).toBe(2);
    expect(await files.retrieveMetadata(day.file_id)).toMatchObject({ filename: 'data.csv' });
    const models = await own.outcomeModels.retrieve(day.agent_id);
    expect(models.success_criteria).toMatchObject([{ id: 'tidy' }]);
  });

  test('a session is read with all of its log, its files, verdicts, trace and transcript', async () => {
    const { session_id } = day;
    const { sessions, files } = rig.client.beta;
    expect((await collect(sessions.list())).map(({ id }) => id)).toContain(session_id);
    const of_agent = await collect(sessions.list({ agent_id: day.agent_id }));
    expect(of_agent.map(({ id }) => id)).toContain(session_id);
    const session = await sessions.retrieve(session_id);
    expect(session).toMatchObject({ status: 'idle', title: 'A day' });
    expect(session.outcome_evaluations).toMatchObject([{ result: 'satisfied' }]);
    const events = await rig.events(session_id);
    expect([...new Set(events.map(({ type }) => type))].toSorted()).toEqual(of_a_day);
    const long = all(events, 'user.message').at(-1);
    expect(JSON.stringify(long?.content)).toContain('And more. And more.');
    const of_session = await collect(files.list({ scope_id: session_id }));
    const output = of_session.find(({ filename }) => filename === 'report.md');
    const report = await files.download(output?.id ?? '');
    expect(await report.text()).toBe('Total: 42\nSource: ledger\n');
    const verdicts = await own.verdicts.ofSession(session_id);
    expect(verdicts.data.map(({ result }) => result)).toEqual(['needs_revision', 'satisfied']);
    expect((await own.outcomeReports.list(session_id)).data.length).toBeGreaterThan(0);
    expect((await own.playbookUses.list(session_id)).data.length).toBeGreaterThan(0);
    expect((await own.sessions.trace(session_id)).session_id).toBe(session_id);
    expect(await (await own.transcripts.read(session_id)).text()).toContain('Tidied.');
    const history = await own.sessions.fileHistory(session_id, '/mnt/session/outputs/report.md');
    expect(history.data.length).toBe(2);
  });

  test('a team is read, thread by thread', async () => {
    const session_id = day.team_session_id;
    const { threads } = rig.client.beta.sessions;
    const found = await collect(threads.list(session_id));
    expect(found.length).toBe(2);
    for (const { id } of found) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const log = await collect(threads.events.list(id, { session_id }));
      expect(log.map(({ type }) => type)).toContain('agent.message');
    }
  });

  test('a session that an error has ended says so still', async () => {
    const session = await rig.client.beta.sessions.retrieve(day.broken_session_id);
    expect(session.status).toBe('terminated');
    const [error] = all(await rig.events(day.broken_session_id), 'session.error');
    expect(error?.error.message).toContain('refused');
  });

  test('memories are read with every version, searched, restored and exported', async () => {
    const { memory_store_id, memory_id } = day;
    const place = { memory_store_id };
    const { memories, memoryVersions } = rig.client.beta.memoryStores;
    const listed = await collect(memories.list(memory_store_id, { view: 'full' }));
    const texts = Object.fromEntries(
      listed.flatMap((item) => (item.type === 'memory' ? [[item.path, item.content]] : [])),
    );
    expect(texts['/notes/long.md']).toBe('A line that is long enough to matter.\n'.repeat(150));
    expect(texts['/seen.md']).toContain('8443');
    expect(texts['/playbooks/exports.md']).toContain('Ledger exports');
    const of_one = await collect(memoryVersions.list(memory_store_id, { memory_id, view: 'full' }));
    expect(of_one.map(({ content }) => content)).toEqual([
      'ports: it is 8081.\n',
      'ports: the staging port is 8080.\n',
    ]);
    const found = await own.memoryStores.search(memory_store_id, { query: '8081' });
    expect(found.data.map(({ memory }) => memory.path)).toContain('/notes/ports.md');
    const first = of_one.at(-1)?.id ?? '';
    await own.memoryStores.restoreMemory(memory_store_id, memory_id, { memory_version_id: first });
    expect((await memories.retrieve(memory_id, place)).content).toContain('8080');
    const chunks = await collect(own.memoryStores.export(memory_store_id));
    expect(Buffer.concat(chunks).toString('latin1')).toContain('memories/notes/ports.md');
  });

  test('a dream is read with its report and its review, and taken back', async () => {
    const { dream_id, apply_id, memory_store_id } = day;
    expect(await rig.client.beta.dreams.retrieve(dream_id)).toMatchObject({ status: 'completed' });
    expect((await own.dreams.report(dream_id)).dream_id).toBe(dream_id);
    const { data: changes } = await own.dreams.changes(dream_id);
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.every(({ state }) => state === 'accepted')).toBe(true);
    expect((await own.dreams.applies(dream_id)).data).toMatchObject([{ id: apply_id }]);
    expect(await own.dreams.rollBack(dream_id, apply_id)).toMatchObject({ state: 'rolled_back' });
    const again = await own.dreams.apply(dream_id, { memory_store_id });
    expect(again).toMatchObject({ state: 'applied' });
  });

  test('a schedule is read with its run, and runs again', async () => {
    const { dream_schedule_id: id } = day;
    expect(await own.dreamSchedules.retrieve(id)).toMatchObject({ name: 'nightly' });
    // The fixture's next night is long past: the host makes it good once, at its own time.
    const { data } = await until(rig, async () => {
      const runs = await own.dreamSchedules.runs(id);
      return runs.data.every(({ ended_at }) => ended_at !== null) ? runs : undefined;
    });
    expect(data.at(-1)).toMatchObject({ trigger: 'manual' });
    const run = await own.dreamSchedules.run(id);
    const { state } = await until(rig, async () => {
      const now = await own.dreamSchedules.retrieveRun(id, run.id);
      return now.ended_at === null ? undefined : now;
    });
    expect(state).toBe('skipped');
  });

  test('a session goes on where it was, with its tools, its files and its memories', async () => {
    const { session_id } = day;
    const before = (await rig.events(session_id)).length;
    await rig.send(session_id, message('Are you still there?'));
    const events = await rig.until(
      session_id,
      (now) => now.length > before && now.at(-1)?.type === 'session.status_idle',
    );
    expect(JSON.stringify(all(events, 'agent.message').at(-1))).toContain('Noted.');
    await rig.client.beta.sessions.archive(session_id);
    await rig.client.beta.sessions.delete(session_id);
  });

  test('what ran by its machines has come to its end', async () => {
    await expect.poll(() => rig.host.running()).toBe(0);
    // The log is whole once the host has stopped.
    await rig.host.stop();
    const log = await readFile(join(rig.host.logs, 'machines.log'), 'utf8');
    expect(log).toContain('"SUCCEEDED"');
    expect(log).not.toContain('"FAILED"');
  });
});

/** The kinds of events in the log of a day's session. */
const of_a_day = [
  'agent.custom_tool_use',
  'agent.message',
  'agent.thinking',
  'agent.tool_result',
  'agent.tool_use',
  'session.status_idle',
  'session.status_running',
  'session.thread_status_idle',
  'session.thread_status_running',
  'session.usage',
  'span.model_request_end',
  'span.model_request_start',
  'span.outcome_evaluation_end',
  'span.outcome_evaluation_start',
  'user.custom_tool_result',
  'user.define_outcome',
  'user.interrupt',
  'user.message',
  'user.tool_confirmation',
];
