import type { Random } from './random.ts';
import { brokenId, longText, odd_texts, unknownId } from './texts.ts';
import type { Ids } from './world.ts';

/** What a mutation may use. */
export interface Kit {
  readonly random: Random;
  readonly key: string;
  /** Of another workspace, with the same names. */
  readonly foreign: Ids;
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A place in a body. */
export interface Spot {
  readonly names: readonly string[];
  readonly value: Json;
  readonly replace: (value: Json) => void;
  readonly remove: () => void;
}

export function spotsOf(root: Json, names: readonly string[] = []): Spot[] {
  if (typeof root !== 'object' || root === null) return [];
  return Object.entries(root).flatMap(([name, value]) => {
    const own = [...names, name];
    const spot: Spot = {
      names: own,
      value,
      replace: (next) => void Object.assign(root, { [name]: next }),
      remove: () => {
        if (Array.isArray(root)) root.splice(Number(name), 1);
        else delete root[name];
      },
    };
    return [spot, ...spotsOf(value, own)];
  });
}

const numbers: readonly Json[] = [
  -1,
  0,
  1.5,
  -0,
  1e21,
  1e308,
  -1e308,
  2 ** 53,
  2 ** 31,
  99_999_999_999,
  5e-324,
];

function otherType(value: Json, random: Random): Json {
  const choices: Json[] = [null, true, 7, 'text', [], {}, [[]], [null], { a: { b: [] } }, [value]];
  return random.of(
    choices.filter(
      (one) =>
        typeof one !== typeof value || one === null || Array.isArray(one) !== Array.isArray(value),
    ),
  );
}

function isId(value: Json): value is string {
  return typeof value === 'string' && /^[a-z]+_[0-9A-Za-z]{20,}$/.test(value);
}

export function worseId(id: string, { random, foreign }: Kit): string {
  const kin = Object.values(foreign).filter((one) => one.split('_')[0] === id.split('_')[0]);
  const other = Object.values(foreign);
  return random.of([
    unknownId(random, id),
    brokenId(random, id),
    ...(kin.length > 0 ? [random.of(kin)] : []),
    random.of(other),
  ]);
}

export function worse(value: Json, kit: Kit): Json {
  const { random } = kit;
  if (random.chance(0.3)) return otherType(value, random);
  if (isId(value) && random.chance(0.8)) return worseId(value, kit);
  if (typeof value === 'string') {
    return random.chance(0.15) ? longText(random) : random.of(odd_texts);
  }
  if (typeof value === 'number') return random.of(numbers);
  if (Array.isArray(value)) {
    const [first = 'x'] = value;
    return random.of<Json>([
      [],
      [first, first],
      Array.from({ length: 1_001 }, () => first),
      [...value, null],
    ]);
  }
  if (typeof value === 'object' && value !== null) {
    return random.of<Json>([
      {},
      { ...value, extra: 1 },
      Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, 'v'])),
    ]);
  }
  return random.of<Json>([null, 'yes', 2, []]);
}
