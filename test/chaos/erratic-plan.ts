import type { Random } from '../hostile/random.ts';
import { message, type SendEvents } from '../rig.ts';
import { outcomeText, RUBRIC } from './model.ts';
import type { Planned } from './record.ts';
import { planText, type Step } from './steps.ts';

type Sent = SendEvents[number];

/** What an erratic client does of its own accord, whatever the session is at. */
export type Deed =
  | { readonly do: 'send'; readonly events: readonly Sent[] }
  /** Answer what is open, the first of it, or once more what has been answered. */
  | {
      readonly do: 'answer';
      readonly which: 'one' | 'all' | 'answered';
      readonly nth: number;
      readonly result: 'allow' | 'deny';
      /** What is sent behind it in the same request. */
      readonly and: readonly Sent[];
    }
  /** The session, or the n-th of the threads that there are by then, counted round and round; again and again. */
  | { readonly do: 'interrupt'; readonly nth: number | undefined; readonly times: number }
  | { readonly do: 'archive thread'; readonly nth: number }
  /** Lower than what is spent, or higher than what was allowed. */
  | { readonly do: 'budget'; readonly cents: string }
  | { readonly do: 'tools'; readonly has_lookup: boolean };

/** Deeds that are done at once. */
export interface Moment {
  /** So many milliseconds after the one before it, or once the session rests. */
  readonly after: number | 'rest';
  readonly deeds: readonly Deed[];
}

export interface ErraticPlan {
  readonly moments: readonly Moment[];
  readonly planned: readonly Planned[];
  /** Whether it interrupts what is left open in the end, or answers it. */
  readonly cuts: boolean;
}

const OUTPUTS = '/mnt/session/outputs';
const PAUSE_MS = 300;

/** All that a client will do to its n-th session: it follows from the seed, and not from any answer. */
export function erraticPlan(n: number, random: Random, count: number): ErraticPlan {
  const draw = new Draw(n, random);
  const moments = Array.from({ length: count }, (): Moment => {
    const after = random.chance(0.25) ? ('rest' as const) : random.int(PAUSE_MS);
    return { after, deeds: draw.atOnce() };
  });
  // Nothing comes of anything before there is something to do.
  const first: Moment = { after: 0, deeds: [{ do: 'send', events: [draw.message()] }] };
  return { moments: [first, ...moments], planned: draw.planned, cuts: random.chance(0.5) };
}

type Drawn<T> = readonly (readonly [weight: number, draw: () => T])[];

class Draw {
  readonly planned: Planned[] = [];
  readonly #n: number;
  readonly #random: Random;
  #lines = 0;

  constructor(n: number, random: Random) {
    this.#n = n;
    this.#random = random;
  }

  /** Mostly one; now and then one that is done twice, as by a double click, or several. */
  atOnce(): Deed[] {
    const deed = this.#deed();
    if (this.#random.chance(0.15)) return [deed, deed];
    if (this.#random.chance(0.75)) return [deed];
    return [deed, ...Array.from({ length: 1 + this.#random.int(2) }, () => this.#deed())];
  }

  message(): Sent {
    return message(planText(this.#plan(true)));
  }

  #deed(): Deed {
    const nth = this.#random.int(100);
    return this.#of<Deed>([
      [25, () => ({ do: 'send', events: this.#events() })],
      [30, () => this.#answer(nth)],
      [5, () => ({ do: 'interrupt', nth, times: this.#times() })],
      [5, () => ({ do: 'interrupt', nth: undefined, times: this.#times() })],
      [3, () => ({ do: 'archive thread', nth })],
      [3, () => ({ do: 'budget', cents: String(1 + this.#random.int(120)) })],
      [3, () => ({ do: 'tools', has_lookup: this.#random.chance(0.5) })],
    ]);
  }

  /** Mostly once; who is impatient asks again while the first is being heard. */
  #times(): number {
    return this.#random.chance(0.5) ? 1 : 2 + this.#random.int(4);
  }

  #answer(nth: number): Deed {
    const which = this.#of([
      [5, () => 'one' as const],
      [4, () => 'all' as const],
      [1, () => 'answered' as const],
    ]);
    const and = this.#of<readonly Sent[]>([
      [12, () => []],
      [3, () => [rule()]],
      [1, () => [interrupt()]],
    ]);
    const result = this.#random.chance(0.7) ? 'allow' : 'deny';
    return { do: 'answer', which, nth, result, and };
  }

  #events(): readonly Sent[] {
    return this.#of<readonly Sent[]>([
      [8, () => [this.message()]],
      [2, () => [this.message(), this.message()]],
      [2, () => [this.message(), rule()]],
      [3, () => [rule()]],
      [3, () => [interrupt()]],
      [3, () => [interrupt(), this.message()]],
      [1, () => [this.message(), interrupt()]],
      [1, () => [interrupt(), interrupt(), rule()]],
      [2, () => [this.#outcome()]],
      [1, () => [this.#outcome(), this.message()]],
    ]);
  }

  #outcome(): Sent {
    const rubric = { type: 'text' as const, content: RUBRIC };
    const file = `${OUTPUTS}/report.md`;
    const name = this.#line();
    this.planned.push({ line: `Draft ${name}`, file }, { line: `Source: ${name}`, file });
    const max_iterations = 1 + this.#random.int(3);
    const description = outcomeText(name);
    return { type: 'user.define_outcome', description, rubric, max_iterations };
  }

  /** The last sentence makes each plan another: a model goes on where it was in the same one. */
  #plan(leads: boolean): Step[] {
    const steps = Array.from({ length: 1 + this.#random.int(4) }, () => this.#step(leads));
    return [...steps, { do: 'say', text: `That was ${this.#line()}.` }];
  }

  #step(leads: boolean): Step {
    return this.#of<Step>([
      [6, () => this.#call(leads)],
      [5, () => this.#together(leads)],
      [3, () => ({ do: 'slow' })],
      [1, () => ({ do: 'think', next: this.#call(leads) })],
      [1, () => ({ do: 'dear' })],
      [1, () => ({ do: 'refuse' })],
      [1, () => ({ do: 'break off' })],
    ]);
  }

  #together(leads: boolean): Step {
    const steps = Array.from({ length: 2 + this.#random.int(2) }, () => this.#call(leads));
    return { do: 'together', steps };
  }

  #call(leads: boolean): Step {
    const own: Drawn<Step> = [
      [4, () => this.#bash()],
      [3, () => ({ do: 'doze' })],
      [4, () => ({ do: 'lookup', line: this.#line() })],
      [3, () => ({ do: 'ask', file: `${OUTPUTS}/asked-${this.#line()}.txt`, line: this.#line() })],
    ];
    const team: Drawn<Step> = [
      [4, () => ({ do: 'start', plans: [this.#plan(false)] })],
      [1, () => ({ do: 'make up', plan: this.#plan(false) })],
      [2, () => ({ do: 'tell', plan: this.#plan(false) })],
      [1, () => ({ do: 'look around' })],
      [1, () => ({ do: 'ask advice' })],
    ];
    return this.#of(leads ? [...own, ...team] : own);
  }

  #bash(): Step {
    const line = this.#line();
    const file = `${OUTPUTS}/erratic-${line}.log`;
    this.planned.push({ line, file });
    return { do: 'bash', file, line };
  }

  #line(): string {
    return `e${this.#n}l${(this.#lines += 1)}`;
  }

  #of<T>(choices: Drawn<T>): T {
    let left = this.#random.int(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, draw] of choices) {
      left -= weight;
      if (left < 0) return draw();
    }
    throw new Error('nothing to choose');
  }
}

const interrupt = (): Sent => ({ type: 'user.interrupt' });
const rule = (): Sent => ({
  type: 'system.message',
  content: [{ type: 'text', text: 'Be brief.' }],
});
