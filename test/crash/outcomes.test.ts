/**
 * Rule: wherever the grader or the step dies, an outcome is judged as if nothing had died. One
 * graded session (a grader whose provider fails once, a verdict that sends the work back, one that
 * passes) is driven through the SDK, and the grade function is killed around every write that it
 * makes, at every second read and in every request, the step at each fifth of its calls. Each time
 * the same events must stand in the log, one verdict for each evaluation, and the same tokens on the
 * bill.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { Crash } from '../../infra/local/aws-error.ts';
import type { Call } from '../../infra/local/gateway.ts';
import type { ModelRequest } from '../model/model.ts';
import { call, fail, say, type Reply } from '../model/replies.ts';
import { ADMIN_KEY, all, startRig, typesOf, type Event, type Rig } from '../rig.ts';

type Mortal = 'grade' | 'step';

/** Which function dies in this run: at its n-th call of the session, before or after it. */
interface Death {
  readonly name: Mortal;
  readonly at: number;
  readonly side: 'before' | 'after';
}

let rig: Rig;
let plain: Anthropic;
let agent: string;
let file_id: string;
let session_id = '';
let death: Death | undefined;
let places: Record<Mortal, string[]> = { grade: [], step: [] };
/** Place of each call in the session, by its number in the function's life. */
let ordinals = new Map<string, number>();

function isMortal(name: string): name is Mortal {
  return name === 'grade' || name === 'step';
}

function boundary({ function_name: name, n, service, action }: Call, side: Death['side']): void {
  if (!isMortal(name)) return;
  if (side === 'before') {
    places[name].push(`${service}:${action}`);
    ordinals.set(`${name}${n}`, places[name].length);
  }
  if (death?.name !== name || death.side !== side) return;
  if (death.at !== ordinals.get(`${name}${n}`)) return;
  death = undefined;
  throw new Crash();
}

/** The grader's requests are boundaries too: the function dies when one has arrived. */
async function modelBoundary(request: ModelRequest): Promise<void> {
  if (request.body.stream !== true || !isGrader(request)) return;
  places.grade.push('model:messages');
  if (death?.name !== 'grade' || death.at !== places.grade.length) return;
  death = undefined;
  await rig.host.kill('grade');
}

function isGrader({ body }: ModelRequest): boolean {
  return (body.tools ?? []).some((tool) => 'name' in tool && tool.name === 'submit_verdict');
}

const path = '/mnt/session/uploads/report.md';

function verdict(source: 'met' | 'not_met'): Reply {
  const evidence = source === 'met' ? [{ path, quote: 'Source: ledger' }] : [];
  return call('submit_verdict', {
    criteria: [{ id: 'c1', verdict: source, reason: 'As to the source.', evidence }],
  });
}

/** What a grader says hangs on the log alone, so a grading that is done again ends as the first. */
async function graderReply({ body }: ModelRequest): Promise<Reply> {
  const events = await rig.events(session_id);
  if (all(events, 'session.error').length === 0) return fail(529);
  if (!body.messages.some(({ role }) => role === 'assistant')) return call('read', { path });
  return verdict(all(events, 'span.outcome_evaluation_end').length === 0 ? 'not_met' : 'met');
}

beforeAll(async () => {
  const hooks = {
    before: (made: Call) => boundary(made, 'before'),
    after: (made: Call) => boundary(made, 'after'),
  };
  rig = await startRig({ hooks }, { onRequest: modelBoundary });
  rig.model.otherwise(async (request) =>
    isGrader(request) ? await graderReply(request) : say('Done.'),
  );
  plain = new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY });
  agent = await rig.agent();
  const file = new File(['Source: ledger\n'], 'report.md', { type: 'text/markdown' });
  ({ id: file_id } = await rig.client.beta.files.upload({ file }));
});

afterAll(async () => await rig.close());

/** One graded session to its end, while waits of the machine pass quickly. */
async function gradedSession(): Promise<Event[]> {
  const { sessions } = rig.client.beta;
  const { environment_id } = rig;
  const resources = [{ type: 'file', file_id, mount_path: path } as const];
  ({ id: session_id } = await sessions.create({ agent, environment_id, resources }));
  await rig.send(session_id, {
    type: 'user.define_outcome',
    description: `See that ${path} is whole.`,
    rubric: { type: 'text', content: `- ${path} has a source` },
  });
  for (let look = 0; look < 1_000; look++) {
    const events = await rig.events(session_id);
    if (events.at(-1)?.type === 'session.status_idle') return events;
    await sleep(10);
    await rig.host.advance(500);
  }
  throw new Error(`stuck: ${typesOf(await rig.events(session_id)).join(' ')}`);
}

async function run(dying: Death | undefined) {
  places = { grade: [], step: [] };
  ordinals = new Map();
  death = dying;
  const events = await gradedSession();
  const died = death === undefined;
  death = undefined;
  const own = new ReverieClient(plain).verdicts;
  const [session, { data }, { data: ofAgent }] = await Promise.all([
    rig.client.beta.sessions.retrieve(session_id),
    own.ofSession(session_id),
    own.list(agent, { session_id, order: 'asc' }),
  ]);
  const transcripts = await Promise.all(
    data.map(async ({ id }) => await (await own.transcript(session_id, id)).text()),
  );
  const ids = events.map(({ id }) => id);
  return {
    died,
    places,
    end: {
      types: typesOf(events),
      is_once: new Set(ids).size === ids.length,
      ends: all(events, 'span.outcome_evaluation_end').map(
        ({ iteration, result, outcome_evaluation_start_id }) =>
          `${iteration} ${result} ${ids.indexOf(outcome_evaluation_start_id)}`,
      ),
      verdicts: data.map(({ id, result }) => `${result} ${ids.indexOf(id)}`),
      of_agent: ofAgent.map(({ result }) => result),
      whole_transcripts: transcripts.map((text) => text.trimEnd().split('\n').length),
      outcome: session.outcome_evaluations.map(({ iteration, result }) => `${iteration} ${result}`),
      tokens: tokensOf(session.usage),
    },
  };
}

/** What the cache made of them differs by what the provider has seen before. */
function tokensOf(usage: Awaited<ReturnType<typeof rig.client.beta.sessions.retrieve>>['usage']) {
  const { cache_creation: made } = usage;
  return {
    output: usage.output_tokens,
    input:
      (usage.input_tokens ?? 0) +
      (usage.cache_read_input_tokens ?? 0) +
      (made?.ephemeral_5m_input_tokens ?? 0) +
      (made?.ephemeral_1h_input_tokens ?? 0),
  };
}

/** Around what is written both; of what is only read every second call on one side, in turn. */
function sidesOf(place: string, index: number): Death['side'][] {
  if (place === 'model:messages') return ['before'];
  if (/Put|Transact|Update/.test(place)) return ['before', 'after'];
  if (index % 2 === 1) return [];
  return [index % 4 === 0 ? 'before' : 'after'];
}

test('a graded session killed at every boundary is judged once, and ends as it would have', async () => {
  const whole = await run(undefined);
  expect(whole.end).toMatchObject({
    ends: [expect.stringMatching(/^0 needs_revision/), expect.stringMatching(/^1 satisfied/)],
    of_agent: ['needs_revision', 'satisfied'],
    outcome: ['1 satisfied'],
    is_once: true,
  });
  expect(all(await rig.events(session_id), 'span.outcome_evaluation_start')).toHaveLength(2);
  expect(whole.places.grade.length).toBeGreaterThan(15);
  const deaths = (['grade', 'step'] as const).flatMap((name) =>
    whole.places[name].flatMap((place, index) => {
      if (name === 'step' && index % 5 !== 0) return [];
      return sidesOf(place, index).map((side) => ({ name, at: index + 1, side, place }));
    }),
  );
  const broken: unknown[] = [];
  let missed = 0;
  for (const { place, ...dying } of deaths) {
    // oxlint-disable-next-line no-await-in-loop -- one death at a time
    const { end, died } = await run(dying);
    if (!died) missed += 1;
    if (JSON.stringify(end) !== JSON.stringify(whole.end)) broken.push({ ...dying, place, end });
  }
  expect(broken).toEqual([]);
  // Caches shift the numbers a little: not each run has each call.
  expect(missed).toBeLessThan(deaths.length / 5);
  expect(rig.model.violations).toEqual([]);
}, 600_000);
