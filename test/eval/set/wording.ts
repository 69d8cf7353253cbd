import type { Fact, SetScene } from './fidelity-set.ts';
import type { Scene, Slots, Wordings } from './material.ts';
import type { Random } from './random.ts';

/** Values of slots by their names. */
export type Values = Readonly<Record<string, string>>;

/** A value for each slot; a value may name other slots, and `#` is a digit. */
export function valuesOf(slots: Slots, random: Random): Values {
  const values: Record<string, string> = {};
  for (const [name, choices] of Object.entries(slots))
    values[name] = digits(random.pick(choices), random);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, filled(value, values)]),
  );
}

/** @throws Error for a slot without a value: the material is wrong */
export function filled(text: string, values: Values): string {
  return text.replaceAll(/\{([a-z_]+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the material has no value for ${whole}`);
    return value;
  });
}

/** `#` in a pattern becomes a digit, the first of a number never 0. */
export function digits(pattern: string, random: Random): string {
  return pattern.replaceAll(/#+/g, (run) => {
    const number = random.text(run.length, '0123456789');
    return run.length > 1 && number.startsWith('0') ? `1${number.slice(1)}` : number;
  });
}

export function worded(wordings: Wordings, values: Values, random: Random): string {
  return filled(typeof wordings === 'string' ? wordings : random.pick(wordings), values);
}

export function factOf({ values, about, like }: Fact, chosen: Values): Fact {
  const all = (texts: readonly string[]): string[] => texts.map((text) => filled(text, chosen));
  return { values: all(values), about: all(about), like: filled(like, chosen) };
}

export function sceneOf(scene: Scene, values: Values, random: Random): SetScene {
  switch (scene.by) {
    case 'user':
    case 'agent':
      return { by: scene.by, text: worded(scene.text, values, random) };
    case 'tool':
      return {
        ...scene,
        input: inputOf(scene.input, values),
        result: worded(scene.result, values, random),
      };
    case 'denial':
      return {
        ...scene,
        input: inputOf(scene.input, values),
        message: worded(scene.message, values, random),
      };
    case 'grader':
      return { ...scene, explanation: worded(scene.explanation, values, random) };
    case 'interrupt':
      return scene;
  }
}

function inputOf(input: Readonly<Record<string, string>>, values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(input).map(([name, text]) => [name, filled(text, values)]),
  );
}

const SMALL = 'abcdefghijkmnpqrstuvwxyz';
const CAPITALS = SMALL.toUpperCase();
const ALPHABETS: Readonly<Record<string, string>> = {
  A: `${CAPITALS}234567`,
  a: SMALL,
  d: '123456789',
  m: `${SMALL}${CAPITALS}0123456789`,
};

/** A secret that nobody has had before. */
export function secretOf(pattern: string, random: Random): string {
  return pattern.replaceAll(/<([Aadm])(\d+)>/g, (_, kind: string, count: string) =>
    random.text(Number(count), ALPHABETS[kind] ?? ''),
  );
}
