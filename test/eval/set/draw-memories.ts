import { renderPlaybook, slugOf } from '#shared/playbooks/playbook.ts';
import type { Tale } from './draw.ts';
import type { PlannedMemory } from './fidelity-set.ts';
import type { Random } from './random.ts';
import { digits, filled, valuesOf, type Values } from './wording.ts';

/** Before the first session; and, for what is newer than every session, after the last. */
const SUMMER = Date.parse('2026-06-01T08:00:00.000Z');
const SUMMER_DAYS = 80;
const LATER = '2026-11-17T08:00:00.000Z';
const DAY_MS = 86_400_000;

type Draft = Pick<PlannedMemory, 'path' | 'text'> & Partial<PlannedMemory>;

/** The store as it is before the dream: what the stories need, and profiles up to the count. */
export function drawMemories(
  tales: readonly Tale[],
  count: number,
  random: Random,
): { readonly memories: PlannedMemory[]; readonly untouched: string[] } {
  const told = tales.flatMap(toldMemories);
  const apart = tales.flatMap(({ apart: cases }) =>
    cases.flatMap(({ case: { memories }, values }) => textsOf(memories, values)),
  );
  const playbooks = tales.map((tale) => playbookOf(tale, random));
  const room = Math.max(0, count - told.length - apart.length - playbooks.length);
  const profiles = tales.flatMap((tale) =>
    profilesOf(tale, Math.ceil(room / tales.length), random),
  );
  const standing = [...apart, ...playbooks, ...profiles.slice(0, room)];
  const memories = [...told, ...standing].map((draft, n): PlannedMemory => {
    const ms = SUMMER + random.int(0, SUMMER_DAYS) * DAY_MS;
    // People write some of them; of what says the same, none.
    const is_by_hand = n >= told.length && random.int(1, 8) === 1;
    return {
      at: new Date(ms).toISOString(),
      by: is_by_hand ? 'hand' : 'agent',
      ...draft,
    };
  });
  const ordered = memories.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { memories: ordered, untouched: standing.map(({ path }) => path).toSorted() };
}

function textsOf(
  memories: readonly (readonly [path: string, text: string])[],
  values: Values,
): Draft[] {
  return memories.map(([path, text]) => ({ path, text: filled(text, values) }));
}

function toldMemories({ changes, known, duplicates }: Tale): Draft[] {
  const changing = changes
    .filter(({ case: { between } }) => between !== 'sessions')
    .map(({ case: { path, memory, between }, values }) => ({
      path,
      text: `${filled(memory, values)}\n`,
      ...(between === 'memory_is_newer' ? { at: LATER } : {}),
    }));
  const held = known.map(({ case: { path, memory }, values }) => ({
    path,
    text: `${filled(memory, values)}\n`,
  }));
  const same = duplicates.flatMap(({ case: { memories }, values }) => textsOf(memories, values));
  return [...changing, ...held, ...same];
}

/** One playbook of each domain's own work. */
function playbookOf({ domain }: Tale, random: Random): Draft {
  const title = `How ${domain.name} are usually begun`;
  const steps = domain.work.files.map((file, n) => `${n + 1}. Look at ${file}.`);
  const text = renderPlaybook({
    facts: {
      id: slugOf(title),
      title,
      situation: `A new task in ${domain.name}, files are uploaded.`,
      scope: 'private',
      learned_from: {
        agent_id: 'agent_01K6A0000000000000000000AA',
        agent_version: random.int(1, 4),
        model: 'claude-sonnet-5-5',
      },
      evidence: [],
      helpful: random.int(1, 9),
      harmful: random.int(0, 1),
      last_confirmed: new Date(SUMMER).toISOString(),
    },
    body: `${steps.join('\n')}\n`,
  });
  return { path: `/playbooks/${slugOf(title)}.md`, text };
}

function profilesOf({ domain }: Tale, count: number, random: Random): Draft[] {
  return domain.profiles.flatMap(({ folder, names, lines, slots }) =>
    names
      .flatMap((name) => [name, `${name} II`])
      .slice(0, count)
      .map((name) => {
        const values = valuesOf(slots, random);
        const [first = '', ...others] = lines;
        const more = random.shuffled(others).slice(0, random.int(2, others.length));
        const own = [first, ...more].map((line) => digits(filled(line, values), random));
        return { path: `${folder}/${slugOf(name)}.md`, text: `# ${name}\n\n${own.join('\n')}\n` };
      }),
  );
}
