import { BadRequestError } from '@anthropic-ai/sdk';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../hostile/random.ts';
import { message, type Event, type SendEvents } from '../rig.ts';
import { answerTo, budgetOf, listAll, openSession } from './client-calls.ts';
import { outcomeText, RUBRIC } from './model.ts';
import type { PatientClient } from './patient-client.ts';
import type { Planned, Played, Refusal } from './record.ts';
import { STORE_MOUNT, type Act, type Scene, type Story } from './scene.ts';
import { planText, type Step } from './steps.ts';

const LOOK_MS = 250;
const OUTPUTS = '/mnt/session/outputs';

/** Plays one session to its end, as a client that polls and answers what it is asked. */
export class ChaosSession implements Played {
  readonly story: Story;
  id = '';
  /** Every event that the API has accepted, by its id. */
  readonly sent: Event[] = [];
  readonly refused: readonly Refusal[] = [];
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
    this.id = await openSession(this.#patient, this.#scene, this.story);
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
        return await this.#say([this.#bash(), this.#together(), this.#bash()]);
      case 'questions':
        return await this.#say([this.#bash(), this.#ask(), { do: 'lookup', line: this.#line() }]);
      case 'outcome':
        return await this.#define();
      case 'interrupt':
        await this.#say([this.#bash(), this.#together(), this.#bash(), { do: 'slow' }]);
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
  #together(): Step {
    const steps = [this.#bash(`left-${this.story.n}.log`), this.#bash(`right-${this.story.n}.log`)];
    return { do: 'together', steps };
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
    this.sent.push(...((data ?? []) as Event[]));
  }

  async #raise(): Promise<void> {
    await this.#patient.do(async (client, once) =>
      client.beta.sessions.update(this.id, { budget: budgetOf('1000000') }, once),
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
      if (asked === undefined) throw new Error(`${this.id} waits for ${id}, which it never said`);
      await this.#send(answerTo(asked, this.#random.chance(0.8) ? 'allow' : 'deny'));
      this.#answered.add(id);
    }
    return true;
  }
}

const isCapped = (event: Event | undefined): boolean =>
  event?.type === 'session.status_idle' && event.stop_reason.type === 'budget_reached';
