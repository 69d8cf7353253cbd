import { setTimeout as sleep } from 'node:timers/promises';
import { APIError } from '@anthropic-ai/sdk';
import type { SessionUpdateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { Random } from '../hostile/random.ts';
import type { Event, SendEvents } from '../rig.ts';
import { answeredBy, answerTo, budgetOf, listAll, openSession } from './client-calls.ts';
import { erraticPlan, type Deed, type ErraticPlan } from './erratic-plan.ts';
import type { PatientClient } from './patient-client.ts';
import type { Planned, Played, Refusal } from './record.ts';
import { tools, type Scene, type Story } from './scene.ts';

const LOOK_MS = 150;
/** The API takes fifty events in one request, and what goes with the answers are some. */
const ANSWERS_MAX = 40;
/** More rests than any end of a session has. */
const RESTS_MAX = 60;

export interface ErraticParts {
  readonly patient: PatientClient;
  readonly scene: Scene;
  /** So long nothing has moved before a session is said to be stuck. */
  readonly stuck_ms: number;
  /** How many moments its client has something to do at. */
  readonly moments: number;
}

/**
 * Plays one session as a client that sends anything at any time. What the API refuses is refused;
 * what it accepts must come to an end whatever stood there at that moment.
 */
export class ErraticSession implements Played {
  readonly story: Story;
  id = '';
  readonly sent: Event[] = [];
  readonly refused: Refusal[] = [];
  readonly planned: readonly Planned[];
  readonly #parts: ErraticParts;
  readonly #plan: ErraticPlan;

  constructor(parts: ErraticParts, story: Story, random: Random) {
    this.#parts = parts;
    this.story = story;
    this.#plan = erraticPlan(story.n, random, parts.moments);
    this.planned = this.#plan.planned;
  }

  async open(): Promise<void> {
    const { patient, scene } = this.#parts;
    this.id = await openSession(patient, scene, this.story);
  }

  /** @throws Error when it does not come to rest, or rests with something that waits in it */
  async play(): Promise<void> {
    for (const { after, deeds } of this.#plan.moments) {
      await (after === 'rest' ? this.#rested() : sleep(after));
      await Promise.all(deeds.map(async (deed) => this.#attempt(deed)));
    }
    for (let rests = 0; rests < RESTS_MAX; rests++) {
      const deed = await this.#left();
      if (deed === undefined) return;
      await this.#attempt(deed);
    }
    throw new Error(`${this.id} always finds something to wait for`);
  }

  /** What must be done before a session that rests has come to its end. */
  async #left(): Promise<Deed | undefined> {
    const reason = restReason(await this.#rested());
    if (reason === 'terminated') return undefined;
    if (reason === 'budget_reached') return { do: 'budget', cents: '1000000' };
    const { outcome_evaluations } = await this.#session();
    const is_judged = outcome_evaluations.every(({ completed_at }) => completed_at != null);
    if (reason !== 'requires_action' && is_judged) return undefined;
    if (reason !== 'requires_action' || this.#plan.cuts)
      return { do: 'interrupt', nth: undefined, times: 1 };
    return { do: 'answer', which: 'all', nth: 0, result: 'allow', and: [] };
  }

  /** That the API refuses something is no fault; how it does so is judged. */
  async #attempt(deed: Deed): Promise<void> {
    try {
      await this.#do(deed);
    } catch (error) {
      if (!(error instanceof APIError)) throw error;
      this.refused.push({ what: deed.do, status: error.status, body: error.error });
    }
  }

  async #do(deed: Deed): Promise<void> {
    switch (deed.do) {
      case 'send':
        return await this.#send(deed.events);
      case 'answer':
        return await this.#answer(deed);
      case 'interrupt':
        return await this.#interrupt(deed);
      case 'archive thread': {
        const thread_id = await this.#threadId(deed.nth);
        const { id: session_id } = this;
        return void (await this.#parts.patient.do(async (client, once) =>
          client.beta.sessions.threads.archive(thread_id, { session_id }, once),
        ));
      }
      case 'budget':
        return await this.#update({ budget: budgetOf(deed.cents) });
      case 'tools': {
        const kept = tools.filter(({ type }) => deed.has_lookup || type !== 'custom');
        return await this.#update({ agent: { tools: kept } });
      }
    }
  }

  async #answer({ which, nth, result, and }: Extract<Deed, { do: 'answer' }>): Promise<void> {
    const { open, answered } = callsOf(await listAll(this.#parts.patient, this.id));
    const choices = which === 'answered' ? answered : open;
    const at = nth % Math.max(1, choices.length);
    // From the n-th on and round, so that they are answered in another order than they were asked in.
    const turned = [...choices.slice(at), ...choices.slice(0, at)];
    const chosen = turned.slice(0, which === 'all' ? ANSWERS_MAX : 1);
    if (chosen.length > 0)
      await this.#send([...chosen.map((call) => answerTo(call, result)), ...and]);
  }

  async #interrupt({ nth, times }: Extract<Deed, { do: 'interrupt' }>): Promise<void> {
    const whom = nth === undefined ? {} : { session_thread_id: await this.#threadId(nth) };
    for (let time = 0; time < times; time++)
      await this.#send([{ type: 'user.interrupt', ...whom }]);
  }

  async #threadId(nth: number): Promise<string> {
    const { data } = await this.#parts.patient.do(async (client) =>
      client.beta.sessions.threads.list(this.id, { limit: 100 }),
    );
    return data[nth % data.length]?.id ?? '';
  }

  async #update(params: SessionUpdateParams): Promise<void> {
    await this.#parts.patient.do(async (client, once) =>
      client.beta.sessions.update(this.id, params, once),
    );
  }

  async #send(events: readonly SendEvents[number][]): Promise<void> {
    const { data } = await this.#parts.patient.do(async (client, once) =>
      client.beta.sessions.events.send(this.id, { events: [...events] }, once),
    );
    this.sent.push(...((data ?? []) as Event[]));
  }

  async #session() {
    return await this.#parts.patient.do(async (client) => client.beta.sessions.retrieve(this.id));
  }

  /** Until it rests, for whatever reason, with nothing in it that nobody will ever take. */
  async #rested(): Promise<readonly Event[]> {
    let moved_at = performance.now();
    let seen = 0;
    for (;;) {
      const { status } = await this.#session();
      const events = await listAll(this.#parts.patient, this.id);
      if (events.length !== seen) moved_at = performance.now();
      seen = events.length;
      if ((status === 'idle' && isSettled(events)) || status === 'terminated') return events;
      if (performance.now() - moved_at > this.#parts.stuck_ms)
        throw new Error(`${this.id} is ${status} for ever: ${wordsOf(events)}`);
      await sleep(LOOK_MS);
    }
  }
}

/** Why a session rests, by its log. */
function restReason(events: readonly Event[]): string | undefined {
  const last = events.findLast(
    ({ type }) => type === 'session.status_idle' || type === 'session.status_terminated',
  );
  return last?.type === 'session.status_idle' ? last.stop_reason.type : last && 'terminated';
}

/** Behind open calls and at a budget what was sent may wait; at every other rest nothing does. */
function isSettled(events: readonly Event[]): boolean {
  const is_held = ['requires_action', 'budget_reached'].includes(restReason(events) ?? '');
  return is_held || events.every(({ processed_at }) => processed_at != null);
}

/**
 * The calls that may wait for the client, the newest first, and those that it has answered. That an
 * interrupt has closed a child's call is not in this log: that one is answered, without effect.
 */
function callsOf(events: readonly Event[]): Readonly<Record<'open' | 'answered', Event[]>> {
  const closed = new Set(events.flatMap((event) => answeredBy(event) ?? []));
  const asked = events.filter(
    (event) =>
      event.type === 'agent.custom_tool_use' ||
      (event.type === 'agent.tool_use' && event.evaluated_permission === 'ask'),
  );
  return {
    open: asked.filter(({ id }) => !closed.has(id)).toReversed(),
    answered: asked.filter(({ id }) => closed.has(id)),
  };
}

function wordsOf(events: readonly Event[]): string {
  return events
    .map(({ type, processed_at }) => (processed_at == null ? `${type} (waits)` : type))
    .join(' ');
}
