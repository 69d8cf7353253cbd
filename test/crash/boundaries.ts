import { Crash } from '../../infra/local/aws-error.ts';
import type { Call, Hooks } from '../../infra/local/gateway.ts';

/** Which function dies in a run: at its n-th call of the run, before or after it was done. */
export interface Death<Name extends string> {
  readonly name: Name;
  readonly at: number;
  readonly side: 'before' | 'after';
}

/** A death, and which call that is. */
export interface Boundary<Name extends string> extends Death<Name> {
  readonly place: string;
}

const MODEL = 'model:messages';

/**
 * The I/O boundaries of a run: each call of the functions in question to AWS, and each request to the
 * model. Counts them, and kills a function at one of them, once.
 */
export class Boundaries<Name extends string> {
  readonly #names: readonly Name[];
  /** Place of each call in the run, by its number in the function's life. */
  #ordinals = new Map<string, number>();
  #places = new Map<Name, string[]>();
  #death: Death<Name> | undefined;

  constructor(...names: readonly Name[]) {
    this.#names = names;
  }

  readonly hooks: Hooks = {
    before: (made) => this.#meet(made, 'before'),
    after: (made) => this.#meet(made, 'after'),
  };

  /** A run begins, with a death or without. */
  begin(death?: Death<Name>): void {
    this.#ordinals = new Map();
    this.#places = new Map();
    this.#death = death;
  }

  /** The run is over. @returns whether the death was met */
  end(): boolean {
    const is_met = this.#death === undefined;
    this.#death = undefined;
    return is_met;
  }

  /** A model request of a function has arrived. @returns whether it is to be killed now */
  isLastRequest(name: Name): boolean {
    const places = this.#placesOf(name);
    places.push(MODEL);
    return this.#dies(name, 'before', places.length);
  }

  /**
   * Every death of the run: before and after each call, before each model request. Not all calls come
   * at each run: what is only read is cached.
   */
  all(): Boundary<Name>[] {
    const sides = ['before', 'after'] as const;
    return this.#names.flatMap((name) =>
      this.#placesOf(name).flatMap((place, index) =>
        (place === MODEL ? (['before'] as const) : sides).map((side) => {
          return { name, at: index + 1, side, place };
        }),
      ),
    );
  }

  #meet({ function_name, n, service, action }: Call, side: Death<Name>['side']): void {
    const name = this.#names.find((one) => one === function_name);
    if (name === undefined) return;
    const key = `${name}${n}`;
    if (side === 'before') {
      const places = this.#placesOf(name);
      places.push(`${service}:${action}`);
      this.#ordinals.set(key, places.length);
    }
    if (this.#dies(name, side, this.#ordinals.get(key))) throw new Crash();
  }

  #dies(name: Name, side: Death<Name>['side'], at: number | undefined): boolean {
    const death = this.#death;
    if (death?.name !== name || death.side !== side || death.at !== at) return false;
    this.#death = undefined;
    return true;
  }

  #placesOf(name: Name): string[] {
    const places = this.#places.get(name) ?? [];
    this.#places.set(name, places);
    return places;
  }
}

/** All of them with the environment variable `CRASH=all`; else so many, evenly spread. */
export function sampled<T>(all: readonly T[], count: number): T[] {
  if (process.env['CRASH'] === 'all' || all.length <= count) return [...all];
  const step = all.length / count;
  return all.filter((_, index) => Math.floor((index + 1) / step) > Math.floor(index / step));
}

/** Whether a run has met enough of its deaths to say anything: caches shift the numbers a little. */
export function isMet(missed: number, deaths: readonly unknown[]): boolean {
  return missed <= deaths.length / 2;
}

/** Parallel calls and caches shift the numbers a little: a run that had no such call is made again. */
export const tries_max = 3;
