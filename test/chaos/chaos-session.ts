import { BadRequestError } from '@anthropic-ai/sdk';
import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../hostile/random.ts';
import { message, type Event, type SendEvents } from '../rig.ts';
import { outcomeText, planText, RUBRIC, type Step } from './model.ts';
import { everyOf, type PatientClient } from './patient-client.ts';
import { STORE_MOUNT, type Act, type Scene, type Story } from './scene.ts';

const LOOK_MS = 250;
const OUTPUTS = '/mnt/session/outputs';

/** A line that a command was to append, and where. */
export interface Planned {
  readonly line: string;
  readonly file: string;
}

/** Plays one session to its end, as a client that polls and answers what it is asked. */
export class ChaosSession {
  readonly story: Story;
  id = '';
  /** Every event that the API has accepted, by its id. */
  readonly sent: { readonly id: string; readonly type: string }[] = [];
  readonly planned: Planned[] = [];
  readonly #patient: PatientClient;
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #answered = new Set<string>();
  readonly #stuck_ms: number;
  #lines = 0;

  constructor(
    parts: { readonly patient: PatientClient; readonly scene: Scene; readonly stuck_ms: number },
    story: Story,
    random: Random,
  ) {
    this.#patient = parts.patient;
    this.#scene = parts.scene;
    this.#stuck_ms = parts.stuck_ms;
    this.story = story;
    this.#random = random;
  }

  async open(): Promise<void> {
    const { acts, store_id, budget } = this.story;
    const params: SessionCreateParams = {
      agent: acts.includes('team') ? this.#scene.lead_id : this.#scene.solo_id,
      environment_id: this.#scene.environment_id,
      title: `chaos ${this.story.n}`,
      ...(store_id === undefined
        ? {}
        : { resources: [{ type: 'memory_store', memory_store_id: store_id }] }),
      ...(budget === undefined ? {} : { budget: limit(budget) }),
    };
    const created = await this.#patient.do(async (client, once) =>
      client.beta.sessions.create(params, once),
    );
    this.id = created.id;
  }

  /** @throws Error when it does not come to rest */
  async play(): Promise<void> {
    for (const act of this.story.acts) {
      await this.#act(act);
      await this.#rested();
    }
  }

  async #act(act: Act): Promise<void> {
    switch (act) {
      case 'work':
        return await this.#say([this.#bash(), this.#pair(), this.#bash()]);
      case 'questions':
        return await this.#say([this.#bash(), this.#ask(), { do: 'lookup', line: this.#line() }]);
      case 'outcome':
        return await this.#define();
      case 'interrupt':
        await this.#say([this.#bash(), this.#pair(), this.#bash(), { do: 'slow' }]);
        await sleep(this.#random.int(1_500));
        return await this.#send({ type: 'user.interrupt' });
      case 'two messages':
        await this.#say([this.#bash(), this.#bash()]);
        await sleep(this.#random.int(600));
        if (await this.#isOpen()) await this.#say([this.#bash()]);
        return;
      case 'team':
        return await this.#startTeam();
    }
  }

  async #startTeam(): Promise<void> {
    const plans = Array.from({ length: 2 + this.#random.int(3) }, (_, n): Step[] => {
      const file = `child-${this.story.n}-${n}.log`;
      const steps: Step[] = [this.#bash(file), this.#bash(file)];
      if (this.#random.chance(0.3)) steps.push(this.#ask());
      if (this.#random.chance(0.3)) steps.push({ do: 'lookup', line: this.#line() });
      return steps;
    });
    await this.#say([{ do: 'start', plans }, this.#bash()]);
    if (this.#random.chance(0.2)) {
      await sleep(this.#random.int(2_000));
      await this.#send({ type: 'user.interrupt' });
    }
  }

  async #define(): Promise<void> {
    const name = this.#line();
    const file = `${OUTPUTS}/report.md`;
    this.planned.push({ line: `Draft ${name}`, file }, { line: `Source: ${name}`, file });
    await this.#send({
      type: 'user.define_outcome',
      description: outcomeText(name),
      rubric: { type: 'text', content: RUBRIC },
    });
  }

  #line(): string {
    return `s${this.story.n}l${(this.#lines += 1)}`;
  }

  /** Of sessions with a store half of the lines are memories. */
  #bash(name = `main-${this.story.n}.log`): Step {
    const line = this.#line();
    const in_store = this.story.store_id !== undefined && this.#random.chance(0.5);
    const file = `${in_store ? STORE_MOUNT : OUTPUTS}/${name}`;
    this.planned.push({ line, file });
    return { do: 'bash', file, line };
  }

  #ask(): Step {
    const line = this.#line();
    return { do: 'ask', file: `${OUTPUTS}/asked-${line}.txt`, line };
  }

  /** Two commands at once write to files of their own. */
  #pair(): Step {
    const lines = [this.#bash(`left-${this.story.n}.log`), this.#bash(`right-${this.story.n}.log`)];
    return { do: 'pair', lines: lines as [Step, Step] };
  }

  /** LESSON is what a scripted dreamer looks for. */
  async #say(steps: readonly Step[]): Promise<void> {
    const lesson = `LESSON about thing ${this.story.n}: turn it ${this.#lines} times.`;
    await this.#send(message(`${lesson}\n${planText(steps)}`));
  }

  /** A budget may be used up since we looked, or by the last request of a turn that ended by itself. */
  async #send(event: SendEvents[number]): Promise<void> {
    try {
      await this.#sendOnce(event);
    } catch (error) {
      if (!(error instanceof BadRequestError && error.message.includes('budget'))) throw error;
      await this.#raise();
      await this.#sendOnce(event);
    }
  }

  async #sendOnce(event: SendEvents[number]): Promise<void> {
    const { data } = await this.#patient.do(async (client, once) =>
      client.beta.sessions.events.send(this.id, { events: [event] }, once),
    );
    for (const { id, type } of data ?? []) this.sent.push({ id, type });
  }

  async #raise(): Promise<void> {
    await this.#patient.do(async (client, once) =>
      client.beta.sessions.update(this.id, { budget: limit('1000000') }, once),
    );
  }

  /** Whether a message would be taken: not while it waits for answers. */
  async #isOpen(): Promise<boolean> {
    const { status } = await this.#session();
    return status === 'running' || status === 'rescheduling';
  }

  async #session() {
    return await this.#patient.do(async (client) => client.beta.sessions.retrieve(this.id));
  }

  async #events(): Promise<Event[]> {
    return await listAll(this.#patient, this.id);
  }

  /** Until it rests with nothing left to answer. */
  async #rested(): Promise<void> {
    let moved_at = performance.now();
    let seen = 0;
    for (;;) {
      const { status } = await this.#session();
      if (status === 'terminated') return;
      const events = await this.#events();
      if (events.length !== seen) moved_at = performance.now();
      seen = events.length;
      const told = events.filter(({ processed_at }) => processed_at !== null);
      // An interrupt of a session at rest stands behind its rest, and changes nothing.
      const last = told.findLast(({ type }) => type !== 'user.interrupt');
      // At a budget what was sent waits until that is raised.
      const is_waiting = told.length < events.length && !isCapped(last);
      if (status === 'idle' && last?.type === 'session.status_idle' && !is_waiting) {
        if (!(await this.#goOn(last.stop_reason, events))) return;
      }
      if (performance.now() - moved_at > this.#stuck_ms) throw new Error(this.#stuck(events));
      await sleep(LOOK_MS);
    }
  }

  #stuck(events: readonly Event[]): string {
    return `${this.id} is stuck: ${events.map(({ type }) => type).join(' ')}`;
  }

  /** Answer what a rest asks for. @returns whether there was something to do */
  async #goOn(
    reason: Extract<Event, { type: 'session.status_idle' }>['stop_reason'],
    events: readonly Event[],
  ): Promise<boolean> {
    if (reason.type === 'budget_reached') {
      await this.#raise();
      return true;
    }
    if (reason.type !== 'requires_action') return false;
    for (const id of reason.event_ids) {
      if (this.#answered.has(id)) continue;
      const asked = events.find((event) => event.id === id);
      await this.#send(this.#answerTo(id, asked?.type));
      this.#answered.add(id);
    }
    return true;
  }

  #answerTo(id: string, type: string | undefined): SendEvents[number] {
    if (type === 'agent.custom_tool_use') {
      const content = [{ type: 'text' as const, text: 'It is 42.' }];
      return { type: 'user.custom_tool_result', custom_tool_use_id: id, content };
    }
    const result = this.#random.chance(0.8) ? 'allow' : 'deny';
    return { type: 'user.tool_confirmation', tool_use_id: id, result };
  }
}

const limit = (amount: string) => ({
  type: 'limit' as const,
  max_list_cost: { amount, currency: 'USD' as const },
});

const isCapped = (event: Event | undefined): boolean =>
  event?.type === 'session.status_idle' && event.stop_reason.type === 'budget_reached';

/** The whole log of a session, or of one of its threads, in order. */
export async function listAll(
  patient: PatientClient,
  session_id: string,
  thread_id?: string,
): Promise<Event[]> {
  return await everyOf(async (page) => {
    const query = { limit: 1_000, ...page };
    const got = await patient.do(async (client) =>
      thread_id === undefined
        ? client.beta.sessions.events.list(session_id, query)
        : client.beta.sessions.threads.events.list(thread_id, { session_id, ...query }),
    );
    return { data: got.data as Event[], next_page: got.next_page };
  });
}
