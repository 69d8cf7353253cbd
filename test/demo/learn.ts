import { toFile, type Anthropic } from '@anthropic-ai/sdk';
import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReverieClient } from '#shared/client/reverie-client.ts';
import type { DreamReport } from '#shared/dreams/report.ts';
import type { PlaybookUse } from '#shared/playbooks/list-uses.ts';
import type { DreamChange } from '#shared/reviews/show-review.ts';

export interface Learning {
  readonly client: Anthropic;
  readonly own: ReverieClient;
  readonly model: string;
  /** The first two teach, the last shows what was learned. */
  readonly exports: readonly SpreadsheetExport[];
  readonly signal: AbortSignal;
  readonly onEvent: (event: BetaManagedAgentsStreamSessionEvents) => void;
  readonly say: (step: LearningStep) => void;
}

/** A file of real records, and what its report is judged by. */
export interface SpreadsheetExport {
  readonly name: string;
  readonly text: string;
  /** Within which its last value lies, as its publisher has it. */
  readonly last_value: readonly [least: number, most: number];
}

export type LearningStep =
  | { readonly step: 'session'; readonly name: string; readonly session_id: string }
  | { readonly step: 'dream'; readonly report: DreamReport }
  | { readonly step: 'change'; readonly change: DreamChange }
  | { readonly step: 'uses'; readonly uses: readonly PlaybookUse[] };

/** What came of it. */
export interface Learned {
  readonly memory_store_id: string;
  readonly sessions: readonly Judged[];
  /** Changes that were reviewed and applied, of both dreams. */
  readonly changes: readonly DreamChange[];
}

/** A session, and the verdicts on its work, in order. */
export interface Judged {
  readonly session_id: string;
  readonly results: readonly string[];
}

const SYSTEM = `You are a careful data analyst. Compute with your tools; never guess a number.
The input is in /mnt/session/uploads. Write the deliverable with the write tool to /mnt/session/outputs.`;

const LOOK_MS = 100;

/**
 * Agents that learn, through the official SDK and Reverie's own routes: two sessions that meet the
 * same quirk of their files, a dream from them, a review of each change, a third session that has
 * the playbook, and a second dream that counts how it went with it.
 */
export async function learn(learning: Learning): Promise<Learned> {
  const { client, model, exports } = learning;
  const agent = await client.beta.agents.create({
    name: 'Data analyst',
    model,
    system: SYSTEM,
    tools: [{ type: 'agent_toolset_20260401' }],
  });
  const environment = await client.beta.environments.create({
    name: `learning-${Date.now()}`,
    config: { type: 'cloud', networking: { type: 'limited' } },
  });
  const { id: memory_store_id } = await client.beta.memoryStores.create({
    name: 'Analysts',
    description: 'What analysts have learned about the files of this office.',
  });
  const place = { agent: agent.id, environment_id: environment.id, memory_store_id };
  const sessions: Judged[] = [];
  for (const file of exports.slice(0, -1)) sessions.push(await report(learning, place, file));
  const lessons = await dreamOf(learning, memory_store_id, sessions);
  const last = exports.at(-1);
  if (last === undefined || lessons.length === 0) {
    return { memory_store_id, sessions, changes: lessons };
  }
  const third = await report(learning, place, last);
  const { data: uses } = await learning.own.playbookUses.list(third.session_id);
  learning.say({ step: 'uses', uses });
  const counts = await dreamOf(learning, memory_store_id, [third]);
  return { memory_store_id, sessions: [...sessions, third], changes: [...lessons, ...counts] };
}

interface Place {
  readonly agent: string;
  readonly environment_id: string;
  readonly memory_store_id: string;
}

/** A report on one file, by an outcome with a rubric. */
export async function report(
  { client, signal, onEvent, say }: Pick<Learning, 'client' | 'signal' | 'onEvent' | 'say'>,
  { agent, environment_id, memory_store_id }: Place,
  { name, text, last_value }: SpreadsheetExport,
): Promise<Judged> {
  const file = await client.beta.files.upload({ file: await toFile(Buffer.from(text), name) });
  const { id: session_id } = await client.beta.sessions.create({
    agent,
    environment_id,
    title: `Report on ${name}`,
    resources: [
      { type: 'file', file_id: file.id, mount_path: `/mnt/session/uploads/${name}` },
      { type: 'memory_store', memory_store_id, access: 'read_only' },
    ],
  });
  say({ step: 'session', name, session_id });
  const stream = await client.beta.sessions.events.stream(session_id, {}, { signal });
  const [least, most] = last_value;
  await client.beta.sessions.events.send(session_id, {
    events: [
      {
        type: 'user.define_outcome',
        description: `Report on the CSV file ${name}, an export of our office's spreadsheet. Write /mnt/session/outputs/report.md with one table: a row for each series, and its first, last, min, max and mean value.`,
        rubric: {
          type: 'text',
          content: `- The last value of each series lies between ${least} and ${most}, as its publisher has it.\n- It says what the data cannot tell.`,
        },
        max_iterations: 3,
      },
    ],
  });
  const results: string[] = [];
  for await (const event of stream) {
    onEvent(event);
    if (event.type === 'span.outcome_evaluation_end') results.push(event.result);
    if (event.type === 'session.status_idle' || event.type === 'session.status_terminated') break;
  }
  return { session_id, results };
}

/** A dream over sessions, each of its changes reviewed and accepted, and all applied to the store. */
async function dreamOf(
  { client, own, model, signal, say }: Learning,
  memory_store_id: string,
  sessions: readonly Judged[],
): Promise<DreamChange[]> {
  const session_ids = sessions.map(({ session_id }) => session_id);
  let dream = await client.beta.dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id },
      { type: 'sessions', session_ids },
    ],
    model,
  });
  while (dream.status === 'pending' || dream.status === 'running') {
    await sleep(LOOK_MS, undefined, { signal });
    dream = await client.beta.dreams.retrieve(dream.id);
  }
  if (dream.status !== 'completed') {
    throw new Error(`The dream ended ${dream.status}: ${dream.error?.message ?? 'no reason'}`);
  }
  say({ step: 'dream', report: await own.dreams.report(dream.id) });
  const { data: changes } = await own.dreams.changes(dream.id, { state: 'proposed' });
  const accepted: DreamChange[] = [];
  for (const { id } of changes) {
    const change = await own.dreams.decide(dream.id, id, { decision: 'accept' });
    say({ step: 'change', change });
    accepted.push(change);
  }
  if (accepted.length > 0) await own.dreams.apply(dream.id, { memory_store_id });
  return accepted;
}
