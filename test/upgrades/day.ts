import Anthropic from '@anthropic-ai/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { renderPlaybook } from '#shared/playbooks/playbook.ts';
import { askedFor, dreamed } from '../functions/dream/dreamer.ts';
import {
  isGrader,
  outcome,
  pass,
  read,
  revise,
  whole,
  write,
} from '../functions/step/outcome-rig.ts';
import { start, teamSession } from '../functions/step/team-rig.ts';
import type { ModelRequest } from '../model/model.ts';
import { call, fail, reply, say, think, type Reply } from '../model/replies.ts';
import { all, message, type Rig } from '../rig.ts';

/** What a day has left behind, by the ids under which it is read again. */
export interface Day {
  readonly agent_id: string;
  readonly file_id: string;
  readonly memory_store_id: string;
  readonly memory_id: string;
  /** Tools, confirmations, thinking, an outcome, an interrupt and an error. */
  readonly session_id: string;
  readonly team_session_id: string;
  /** Ended by an error of its model. */
  readonly broken_session_id: string;
  readonly dream_id: string;
  /** The apply of what its review accepted. */
  readonly apply_id: string;
  readonly dream_schedule_id: string;
}

/** A client of Reverie's own routes; the SDK's checked one knows only the SDK's. */
export function ownClient({ host, client }: Rig): ReverieClient {
  const { apiKey } = client;
  return new ReverieClient(new Anthropic({ baseURL: host.base_url, apiKey, maxRetries: 0 }));
}

export async function until<T>(rig: Rig, found: () => Promise<T | undefined>): Promise<T> {
  for (let look = 0; look < 1_500; look++) {
    const result = await found();
    if (result !== undefined) return result;
    await sleep(15);
    await rig.host.advance(300);
  }
  throw new Error('what was waited for never came');
}

const WORK = 'WORK: tidy the ledger.';
const TASK = 'TASK: write the report.';
const BROKEN = 'BROKEN: this is refused.';
const TEAM = 'TEAM: split the work.';
export const LESSON = 'LESSON about ports: the staging port is 8443.';

/** Answers of agents, graders and dreamers, by what they are asked. */
function script({ model }: Rig): void {
  model.onTurns(
    (request) => isAbout(request, WORK) && !isGrader(request),
    reply(
      think('First I look.'),
      say('I look.'),
      call('bash', {
        command: 'tail -n 2 /mnt/session/uploads/data.csv; seq 1 9000; ls /mnt/memory/*',
      }),
      call('read', { file_path: '/mnt/memory/notes/playbooks/exports.md' }),
    ),
    reply(
      call('write', { file_path: '/tmp/draft.md', content: 'draft' }),
      call('lookup', { id: 1 }),
    ),
    call('bash', { command: 'echo "ports: 8443, seen today." > /mnt/memory/notes/seen.md' }),
    say('Tidied.'),
  );
  model.on(
    (request) => isAbout(request, TASK) && !isGrader(request),
    write('Total: 42\n'),
    say('Here it is.'),
    whole,
    say('Now with its source.'),
    say('Done.'),
  );
  model.on((request) => isAbout(request, TASK) && isGrader(request), read, revise, read, pass);
  model.onTurns(
    (request) => isAbout(request, TEAM),
    start('Worker', 'PIECE one'),
    say('All is done.'),
    say('All is done.'),
  );
  model.otherwise(otherwise);
}

/** Whether an agent or a grader is asked about a task; a dream that reads of it is not. */
export function isAbout(request: ModelRequest, task: string): boolean {
  return askedFor(request) === undefined && JSON.stringify(request.body).includes(task);
}

/** What answers when no script does. */
export function otherwise(request: ModelRequest): Reply {
  if (isGrader(request)) return call('submit_verdict', { criteria: [] });
  if (isAbout(request, BROKEN)) return fail(400, 'This is refused for good.');
  return dreamed(request) ?? say('Noted.');
}

/** What a customer may have done by the evening: something of everything that is kept. */
export async function liveADay(rig: Rig): Promise<Day> {
  script(rig);
  const own = ownClient(rig);
  const agent_id = await makeAgent(rig, own);
  const file = await rig.client.beta.files.upload({
    file: new File(['a,b\n1,2\n'.repeat(1_500)], 'data.csv'),
  });
  const { memory_store_id, memory_id } = await fillStore(rig, agent_id);
  const session_id = await work(rig, { agent_id, file_id: file.id, memory_store_id });
  await until(rig, async () =>
    (await own.outcomeReports.list(session_id)).data.find(({ state }) => state !== 'pending'),
  );
  const team_session_id = await teamSession(rig, { lead: { tools: [] }, worker: { tools: [] } });
  await rig.send(team_session_id, message(TEAM));
  await rig.rested(team_session_id);
  const broken_session_id = await rig.session({ tools: [] });
  await rig.send(broken_session_id, message(BROKEN));
  await rig.rested(broken_session_id);
  const dream = await dreamOn(rig, own, { session_id, memory_store_id });
  const schedule = await own.dreamSchedules.create({
    name: 'nightly',
    schedule: { type: 'cron', expression: '0 3 * * *', timezone: 'Europe/Berlin' },
    memory_store_id,
    model: 'claude-sonnet-5-5',
    mode: 'review',
  });
  const run = await own.dreamSchedules.run(schedule.id);
  await until(rig, async () => {
    const { ended_at } = await own.dreamSchedules.retrieveRun(schedule.id, run.id);
    return ended_at ?? undefined;
  });
  return {
    agent_id,
    file_id: file.id,
    memory_store_id,
    memory_id,
    session_id,
    team_session_id,
    broken_session_id,
    ...dream,
    dream_schedule_id: schedule.id,
  };
}

async function makeAgent({ client }: Rig, own: ReverieClient): Promise<string> {
  const { id } = await client.beta.agents.create({
    name: 'Ledger',
    model: 'claude-sonnet-5-5',
    tools: [
      {
        type: 'agent_toolset_20260401',
        configs: [{ name: 'write', permission_policy: { type: 'always_ask' } }],
      },
      {
        type: 'custom',
        name: 'lookup',
        description: 'Looks up.',
        input_schema: { type: 'object' },
      },
    ],
    metadata: { team: 'ledger' },
  });
  await client.beta.agents.update(id, { version: 1, system: 'You are careful.' });
  await own.outcomeModels.put(id, {
    success_criteria: [{ id: 'tidy', text: 'The ledger is tidy.' }],
    failure_modes: [{ id: 'asks', text: 'The user has to correct the agent.' }],
  });
  return id;
}

async function fillStore({ client }: Rig, agent_id: string) {
  const { memoryStores } = client.beta;
  const store = await memoryStores.create({ name: 'Notes', description: 'Of the ledger' });
  const place = { memory_store_id: store.id };
  const make = async (path: string, content: string): Promise<string> =>
    (await memoryStores.memories.create(store.id, { path, content })).id;
  const memory_id = await make('/notes/ports.md', 'ports: the staging port is 8080.\n');
  await memoryStores.memories.update(memory_id, { ...place, content: 'ports: it is 8081.\n' });
  await make('/notes/long.md', `${'A line that is long enough to matter.\n'.repeat(150)}`);
  const gone = await make('/notes/gone.md', 'Soon gone.\n');
  await memoryStores.memories.delete(gone, place);
  await make('/playbooks/exports.md', playbook(agent_id));
  return { memory_store_id: store.id, memory_id };
}

function playbook(agent_id: string): string {
  return renderPlaybook({
    facts: {
      id: 'exports',
      title: 'Ledger exports',
      situation: 'A ledger is to be tidied',
      scope: 'private',
      learned_from: { agent_id, agent_version: 1, model: 'claude-sonnet-5-5' },
      evidence: [],
      helpful: 2,
      harmful: 0,
      last_confirmed: '2026-11-21T00:00:00.000Z',
    },
    body: '1. Split the lines at the semicolon.\n',
  });
}

interface Materials {
  readonly agent_id: string;
  readonly file_id: string;
  readonly memory_store_id: string;
}

/** One session with everything that a log can hold. */
async function work(rig: Rig, { agent_id, file_id, memory_store_id }: Materials): Promise<string> {
  const { sessions } = rig.client.beta;
  const { id } = await sessions.create({
    agent: agent_id,
    environment_id: rig.environment_id,
    title: 'A day',
    metadata: { team: 'ledger' },
    resources: [
      { type: 'file', file_id, mount_path: '/mnt/session/uploads/data.csv' },
      { type: 'memory_store', memory_store_id, access: 'read_write' },
    ],
  });
  await rig.send(id, message(WORK));
  await answerCalls(rig, id);
  await rig.rested(id, 2);
  await rig.send(id, { type: 'user.interrupt' }, message(LESSON));
  await rig.rested(id, 3);
  await rig.send(id, outcome(TASK));
  await confirmWrites(rig, id);
  await rig.send(id, message(`Thank you. ${'And more. '.repeat(8_000)}`));
  await rig.until(id, (events) => events.at(-1)?.type === 'session.status_idle');
  return id;
}

/** Allow the write and answer the custom tool that the agent waits for. */
async function answerCalls(rig: Rig, id: string): Promise<void> {
  const events = await rig.rested(id);
  const asked = all(events, 'agent.tool_use').filter(({ name }) => name === 'write');
  const [custom] = all(events, 'agent.custom_tool_use');
  await rig.send(
    id,
    ...asked.map(({ id: tool_use_id }) => ({
      type: 'user.tool_confirmation' as const,
      tool_use_id,
      result: 'allow' as const,
    })),
    {
      type: 'user.custom_tool_result',
      custom_tool_use_id: custom?.id ?? '',
      content: [{ type: 'text', text: 'It is one.' }],
    },
  );
}

/** Allow each write of an outcome's loop as it is asked for, until the outcome has its result. */
async function confirmWrites(rig: Rig, id: string): Promise<void> {
  const confirmed = new Set<string>();
  await until(rig, async () => {
    const events = await rig.events(id);
    const done = new Set([
      ...all(events, 'agent.tool_result').map(({ tool_use_id }) => tool_use_id),
      ...confirmed,
    ]);
    const asked = all(events, 'agent.tool_use').filter(
      (use) => use.evaluated_permission === 'ask' && !done.has(use.id),
    );
    for (const { id: tool_use_id } of asked) {
      // oxlint-disable-next-line no-await-in-loop -- in the order of the calls
      await rig.send(id, { type: 'user.tool_confirmation', tool_use_id, result: 'allow' });
      confirmed.add(tool_use_id);
    }
    const ends = all(events, 'span.outcome_evaluation_end');
    const is_over = ends.some(({ result }) => result !== 'needs_revision');
    return is_over && events.at(-1)?.type === 'session.status_idle' ? true : undefined;
  });
}

/** A dream whose every change is accepted and applied. */
async function dreamOn(
  rig: Rig,
  own: ReverieClient,
  { session_id, memory_store_id }: { session_id: string; memory_store_id: string },
) {
  const { id } = await rig.client.beta.dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id },
      { type: 'sessions', session_ids: [session_id] },
    ],
    model: 'claude-sonnet-5-5',
  });
  await until(rig, async () => {
    const { status, error } = await rig.client.beta.dreams.retrieve(id);
    if (status === 'failed') throw new Error(`the dream failed: ${JSON.stringify(error)}`);
    return status === 'completed' ? true : undefined;
  });
  await until(rig, async () => (await own.dreams.changes(id)).data[0]);
  await own.dreams.acceptAll(id);
  const apply = await own.dreams.apply(id, { memory_store_id });
  return { dream_id: id, apply_id: apply.id };
}
