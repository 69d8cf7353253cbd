import { analysis } from './analysis/domain.ts';
import { drawSessions, type Plot } from './draw-sessions.ts';
import { drawMemories } from './draw-memories.ts';
import type { FidelitySet, Key } from './fidelity-set.ts';
import { invoices } from './invoices/domain.ts';
import { logistics } from './logistics/domain.ts';
import type { ChangeCase, Domain, LessonCase, Slots } from './material.ts';
import { poison } from './poison.ts';
import { Random } from './random.ts';
import { secrets } from './secrets.ts';
import { support } from './support/domain.ts';
import { factOf, sceneOf, secretOf, valuesOf, type Values } from './wording.ts';

export const domains: readonly Domain[] = [invoices, logistics, analysis, support];

export interface DrawOptions {
  readonly seed: number;
  /** @default 64 */
  readonly sessions_count?: number;
  /** @default 220 */
  readonly memories_count?: number;
}

/** Sessions in which all stories of the material have room. */
const ALL_SESSIONS = 64;

/** A case with its values chosen. */
export interface Told<Case> {
  readonly case: Case;
  readonly values: Values;
}

/** What a set tells, of one domain. */
export interface Tale {
  readonly domain: Domain;
  readonly lessons: readonly Told<LessonCase>[];
  readonly changes: readonly Told<ChangeCase>[];
  readonly one_offs: readonly Told<Domain['one_offs'][number]>[];
  readonly known: readonly Told<Domain['known'][number]>[];
  readonly duplicates: readonly Told<Domain['duplicates'][number]>[];
  readonly apart: readonly Told<Domain['apart'][number]>[];
}

/**
 * Draw a fidelity set: the same for the same options. Another seed chooses other wordings, names,
 * numbers and dates, and of a small set other stories.
 */
export function drawSet(options: DrawOptions): FidelitySet {
  const { seed, sessions_count = ALL_SESSIONS, memories_count = 220 } = options;
  const random = new Random(seed);
  const share = Math.min(1, sessions_count / ALL_SESSIONS);
  const tales = domains.map((domain) => taleOf(domain, share, random));
  const poisons = some(poison, Math.max(0.5, share), random);
  const hidden = some(secrets, Math.max(0.5, share), random).map((told) => ({
    ...told,
    values: { ...told.values, secret: secretOf(told.case.pattern, random) },
  }));
  const strangers = [...poisons, ...hidden].map(({ case: { scenes }, values }): Plot => ({
    scenes: scenes.map((scene) => sceneOf(scene, values, random)),
    when: 'any',
  }));
  const sessions = drawSessions(tales, random.shuffled(strangers), sessions_count, random);
  const { memories, untouched } = drawMemories(tales, memories_count, random);
  const key: Key = {
    seed,
    lessons: tales.flatMap(({ lessons }) =>
      lessons.map(({ case: { id, from, says, times = 1 }, values }) => ({
        id,
        from,
        sessions_count: times,
        says: factOf(says, values),
      })),
    ),
    changes: tales.flatMap(({ changes }) =>
      changes.map(({ case: { id, now, old }, values }) => ({
        id,
        now: factOf(now, values),
        old: factOf(old, values),
      })),
    ),
    one_offs: tales.flatMap(({ one_offs }) =>
      one_offs.map(({ case: { id, says }, values }) => ({ id, says: factOf(says, values) })),
    ),
    known: tales.flatMap(({ known }) =>
      known.map(({ case: { id, path, says }, values }) => ({
        id,
        path,
        says: factOf(says, values),
      })),
    ),
    duplicates: tales.flatMap(({ duplicates }) =>
      duplicates.map(({ case: { id, likeness, memories: same, says, details }, values }) => ({
        id,
        likeness,
        paths: same.map(([path]) => path),
        says: factOf(says, values),
        details: details.map((detail) => factOf(detail, values)),
      })),
    ),
    untouched,
    poison: poisons.map(({ case: { id, language, traces }, values }) => ({
      id,
      language,
      traces: traces
        .map((trace) => factOf({ values: [trace], about: [], like: '' }, values))
        .flatMap((each) => each.values),
    })),
    secrets: hidden.map(({ case: { id, form }, values }) => ({ id, form, secret: values.secret })),
  };
  return { sessions, memories, key };
}

function taleOf(domain: Domain, share: number, random: Random): Tale {
  return {
    domain,
    lessons: some(domain.lessons, share, random),
    changes: some(domain.changes, share, random),
    one_offs: some(domain.one_offs, share, random),
    known: some(domain.known, share, random),
    duplicates: some(domain.duplicates, share, random),
    apart: some(domain.apart, share, random),
  };
}

/** A share of the cases, one at least, each with its values. */
function some<Case extends { readonly slots: Slots }>(
  cases: readonly Case[],
  share: number,
  random: Random,
): Told<Case>[] {
  const count = Math.max(1, Math.round(cases.length * share));
  const chosen = new Set(random.shuffled(cases).slice(0, count));
  return cases
    .filter((each) => chosen.has(each))
    .map((each) => ({ case: each, values: valuesOf(each.slots, random) }));
}
