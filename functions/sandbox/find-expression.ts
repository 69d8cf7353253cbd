import type { CommandContext } from 'just-bash';
import { CommandFailure } from './command.ts';
import type { Bounds, Test } from './find.ts';
import { actions } from './find-actions.ts';
import { tests } from './find-tests.ts';

/** What `find` asks of each file: names, operators and what stands in parentheses. */

/** How a question is made of its operands. */
export interface Maker {
  /** How many words belong to it; a function for those that say themselves where they end. */
  readonly operands: number | ((words: readonly string[]) => number);
  readonly make: (words: readonly string[], ctx: CommandContext) => Test | Promise<Test>;
  /** Something is done, so that what is found is not printed as well. */
  readonly acts?: true;
}

interface Expression {
  readonly test: Test;
  readonly bounds: Bounds;
}

/** @throws CommandFailure for what is none */
export async function expressionOf(
  words: readonly string[],
  ctx: CommandContext,
): Promise<Expression> {
  const reader = new Reader(words, ctx);
  const test = words.length === 0 ? always : await reader.read();
  const print = actions['-print']?.make([], ctx);
  if (reader.acts || print === undefined) return { test, bounds: reader.bounds };
  const printed = await print;
  return {
    test: async (found, search) =>
      (await test(found, search)) && !search.is_over && (await printed(found, search)),
    bounds: reader.bounds,
  };
}

const always: Test = () => true;

/** What bounds the search, wherever it stands. */
const settings: Readonly<Record<string, (bounds: Bounds, value: string) => void>> = {
  '-maxdepth': (bounds, value) => (bounds.max_depth = levelsOf(value, '-maxdepth')),
  '-mindepth': (bounds, value) => (bounds.min_depth = levelsOf(value, '-mindepth')),
  '-depth': (bounds) => (bounds.is_inside_first = true),
  '-d': (bounds) => (bounds.is_inside_first = true),
  '-mount': () => undefined,
  '-xdev': () => undefined,
  '-noleaf': () => undefined,
  '-warn': () => undefined,
  '-nowarn': () => undefined,
  '-ignore_readdir_race': () => undefined,
};

const valued = new Set(['-maxdepth', '-mindepth']);

function levelsOf(text: string, name: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new CommandFailure(
    `Expected a positive decimal integer argument to ${name}, but got '${text}'`,
  );
}

class Reader {
  readonly bounds: Bounds = { min_depth: 0, max_depth: Infinity, is_inside_first: false };
  acts = false;
  #at = 0;
  readonly #words: readonly string[];
  readonly #ctx: CommandContext;

  constructor(words: readonly string[], ctx: CommandContext) {
    this.#words = words;
    this.#ctx = ctx;
  }

  async read(): Promise<Test> {
    const test = await this.#list();
    const left = this.#words[this.#at];
    if (left === undefined) return test;
    throw new CommandFailure(
      left === ')'
        ? "invalid expression; you have too many ')'"
        : `paths must precede expression: '${left}'`,
    );
  }

  /** `a , b`: both, and the second one counts. */
  async #list(): Promise<Test> {
    let test = await this.#either();
    while (this.#takes(',')) {
      const [before, last] = [test, await this.#either()];
      test = async (found, search) => {
        await before(found, search);
        return await last(found, search);
      };
    }
    return test;
  }

  async #either(): Promise<Test> {
    let test = await this.#both();
    while (this.#takes('-o', '-or')) {
      const [first, second] = [test, await this.#both()];
      test = async (found, search) =>
        (await first(found, search)) || (!search.is_over && (await second(found, search)));
    }
    return test;
  }

  async #both(): Promise<Test> {
    let test = await this.#one();
    for (;;) {
      const is_named = this.#takes('-a', '-and');
      const next = this.#words[this.#at];
      if (!is_named && (next === undefined || /^(-o|-or|,|\))$/.test(next))) return test;
      const [first, second] = [test, await this.#one()];
      test = async (found, search) =>
        (await first(found, search)) && !search.is_over && (await second(found, search));
    }
  }

  async #one(): Promise<Test> {
    if (this.#takes('!', '-not')) {
      const test = await this.#one();
      return async (found, search) => !(await test(found, search));
    }
    if (this.#takes('(')) {
      const test = await this.#list();
      if (!this.#takes(')')) {
        throw new CommandFailure("invalid expression; expected to find a ')' but didn't see one");
      }
      return test;
    }
    return await this.#named();
  }

  async #named(): Promise<Test> {
    const name = this.#words[this.#at++];
    if (name === undefined)
      throw new CommandFailure('invalid expression: something is missing behind its last word');
    const set = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (set !== undefined) {
      const [value = ''] = valued.has(name) ? this.#operands(name, 1) : [];
      set(this.bounds, value);
      return always;
    }
    const all = { ...tests, ...actions };
    const maker = Object.hasOwn(all, name) ? all[name] : undefined;
    if (maker === undefined) throw unknown(name);
    if (maker.acts === true) this.acts = true;
    if (name === '-delete') this.bounds.is_inside_first = true;
    const { operands } = maker;
    const count = typeof operands === 'number' ? operands : operands(this.#words.slice(this.#at));
    return await maker.make(this.#operands(name, count), this.#ctx);
  }

  #operands(name: string, count: number): readonly string[] {
    const words = this.#words.slice(this.#at, this.#at + count);
    if (words.length < count) throw new CommandFailure(`missing argument to \`${name}'`);
    this.#at += count;
    return words;
  }

  #takes(...names: readonly string[]): boolean {
    const is_next = names.includes(this.#words[this.#at] ?? '');
    if (is_next) this.#at += 1;
    return is_next;
  }
}

function unknown(name: string): CommandFailure {
  return new CommandFailure(
    name.startsWith('-')
      ? `unknown predicate \`${name}'`
      : `paths must precede expression: '${name}'`,
  );
}
