import type { Tale } from './draw.ts';
import type { PlannedSession, SetScene } from './fidelity-set.ts';
import type { Scene } from './material.ts';
import type { Random } from './random.ts';
import { sceneOf, type Values } from './wording.ts';
import { workScenes } from './work.ts';

/** A story, and in which part of the time it happens. */
export interface Plot {
  readonly scenes: readonly SetScene[];
  readonly when: 'any' | 'early' | 'late';
}

const FIRST_DAY = Date.parse('2026-09-01T07:00:00.000Z');
const DAYS = 75;
const DAY_MS = 86_400_000;

/** Every so many sessions one is long: several pieces, as real ones are. */
const LONG_EVERY = 11;

/** Sessions of all domains in turns, in the order of time, with every plot in one of its domain. */
export function drawSessions(
  tales: readonly Tale[],
  strangers: readonly Plot[],
  count: number,
  random: Random,
): PlannedSession[] {
  const plots = Array.from({ length: count }, (): SetScene[][] => []);
  const of_domain = (n: number): number[] =>
    Array.from({ length: count }, (_, at) => at).filter((at) => at % tales.length === n);
  for (const [n, tale] of tales.entries()) {
    for (const copies of plotsOf(tale, random)) place(plots, of_domain(n), copies, random);
  }
  for (const plot of strangers) place(plots, [...plots.keys()], [plot], random);
  return plots.map((scenes, n) => {
    const tale = tales[n % tales.length];
    if (tale === undefined) throw new Error('a set has domains');
    return sessionOf(tale, { n, count, plots: random.shuffled(scenes) }, random);
  });
}

/** What happens in sessions of a domain: the copies of one story, which go to different sessions. */
function plotsOf(tale: Tale, random: Random): Plot[][] {
  const told = (scenes: readonly Scene[], values: Values, when: Plot['when']): Plot => ({
    scenes: scenes.map((scene) => sceneOf(scene, values, random)),
    when,
  });
  const lessons = tale.lessons.map(({ case: { scenes, times = 1 }, values }) =>
    Array.from({ length: times }, () => told(scenes, values, 'any')),
  );
  const changes = tale.changes.map(({ case: each, values }) => {
    const early = told(each.old_scenes, values, 'early');
    const late = told(each.now_scenes, values, 'late');
    return [early, late].filter(({ scenes }) => scenes.length > 0);
  });
  const others = [...tale.one_offs, ...tale.known].map(({ case: { scenes }, values }) => [
    told(scenes, values, 'any'),
  ]);
  return [...lessons, ...changes, ...others];
}

/** Put copies into different sessions, those first that have least. */
function place(
  plots: SetScene[][][],
  sessions: readonly number[],
  copies: readonly Plot[],
  random: Random,
): void {
  const taken = new Set<number>();
  for (const { scenes, when } of copies) {
    const possible = sessions.filter((at, index) => {
      if (taken.has(at)) return false;
      if (when === 'any') return true;
      return when === 'early' ? index < sessions.length / 2 : index >= sessions.length / 2;
    });
    const [at] = random
      .shuffled(possible)
      .toSorted((a, b) => (plots[a]?.length ?? 0) - (plots[b]?.length ?? 0));
    // A small set has fewer sessions than a story has copies.
    if (at === undefined) continue;
    taken.add(at);
    plots[at]?.push([...scenes]);
  }
}

interface Place {
  readonly n: number;
  readonly count: number;
  readonly plots: readonly (readonly SetScene[])[];
}

function sessionOf({ domain }: Tale, { n, count, plots }: Place, random: Random): PlannedSession {
  const { work } = domain;
  const rows = n % LONG_EVERY === LONG_EVERY - 1 ? 700 : random.int(15, 70);
  const opening = random.pick(work.openings);
  const is_judged =
    plots.flat().some(({ by }) => by === 'grader') || (n % 2 === 0 && plots.length > 0);
  const outcome: SetScene = { by: 'outcome', task: opening, rubric: work.rubric };
  const verdict: SetScene = {
    by: 'grader',
    result: 'satisfied',
    explanation: 'Every criterion is met.',
  };
  const parts = plots.flatMap((plot) => [...workScenes(work, rows, random), ...plot]);
  const ms = FIRST_DAY + Math.floor((n * DAYS * DAY_MS) / count) + random.int(0, DAY_MS / 4);
  return {
    n,
    domain: domain.name,
    agent_name: domain.agent_name,
    title: opening.slice(0, 60),
    at: new Date(ms).toISOString(),
    scenes: [
      is_judged ? outcome : { by: 'user', text: opening },
      ...workScenes(work, rows, random),
      ...parts,
      { by: 'agent', text: random.pick(work.closings) },
      ...(is_judged ? [verdict] : []),
    ],
  };
}
