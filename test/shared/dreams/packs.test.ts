// Goal: what is asked about together is decided apart. Method: dreams of several topics whose model
// answers for some of them only, or not at all while they come together.
import { expect, test } from 'vitest';
import { aMemory, aSnapshot } from './samples.ts';
import { aLesson, dream, userSays, type Mind } from './rig.ts';

const facts = ['The otter house opens at seven.', 'Beavers eat willow on weekdays.'];
const sessions = Object.fromEntries(
  facts.map((fact, n) => [`sesn_${n}`, [userSays(fact, `sevt_${n}`)]]),
);
const store = aSnapshot(aMemory('/tea.md', 'Tea is green.\n'));
const lessons: Mind['lessons'] = (content) =>
  facts.flatMap((fact) =>
    content.includes(fact)
      ? [
          aLesson(fact, {
            advice: fact,
            situation: fact,
            evidence: [{ event_id: 'e1', quote: fact }],
          }),
        ]
      : [],
  );
const note = (n: number, ids = [`L${n + 1}`]) => ({
  op: 'add',
  format: 'note',
  title: `Note ${n}`,
  text: facts[n],
  reason: 'Said.',
  lessons: ids,
});

test('topics are asked about in one request, and no operation rests on the lessons of another', async () => {
  const asked: string[] = [];
  const { report } = await dream(sessions, store, {
    lessons,
    operations: (content) => {
      asked.push(content);
      return [note(0, ['L1', 'L2']), note(1)];
    },
  });
  expect(asked).toHaveLength(1);
  expect(report.operations.map(({ evidence }) => evidence.map(({ event_id }) => event_id))).toEqual(
    [['sevt_0'], ['sevt_1']],
  );
});

test('an answer that cannot be used is asked for topic by topic', async () => {
  const { report } = await dream(sessions, store, {
    lessons,
    operations: (content) => {
      if (facts.every((fact) => content.includes(fact))) return '{"operations": [{';
      return [note(content.includes(facts[0] ?? '') ? 0 : 1, ['L1'])];
    },
  });
  expect(report.operations).toHaveLength(2);
  expect(report.dropped).toEqual([]);
});

test('a change without a verdict is asked about alone, and falls where it gets none', async () => {
  let count = 0;
  const { report } = await dream(sessions, store, {
    lessons,
    operations: () => [note(0), note(1)],
    verdict: (content) => {
      count += 1;
      const verdicts =
        content.includes('Note 0') || content.includes('note-0')
          ? [{ n: 0, verdict: 'keep', reason: 'So.' }]
          : [];
      return JSON.stringify({ verdicts });
    },
  });
  expect(count).toBe(2);
  expect(report.operations).toMatchObject([{ path: '/notes/note-0.md' }]);
  expect(report.dropped_counts).toEqual({ unverified: 1 });
});

const PATH = '/animals.md';
const was = 'The otter house and the beavers are in the north.\n';
const adding = (text: string, n: number, more = {}) => ({
  op: 'revise',
  path: PATH,
  text,
  reason: `Said ${n}.`,
  lessons: [`L${n + 1}`],
  ...more,
});

test.each<[what: string, operations: object[], held: readonly string[], fallen: object]>([
  [
    'that add to one memory both do',
    facts.map((fact, n) => adding(`${was}\n- ${fact}\n`, n)),
    [was, ...facts, 'sesn_0/sevt_0', 'sesn_1/sevt_1'],
    {},
  ],
  [
    'that add the same do it once',
    facts.map((_, n) => adding(`${was}\n- ${facts[0]}\n`, n)),
    [was, facts[0] ?? '', 'sesn_0/sevt_0', 'sesn_1/sevt_1'],
    {},
  ],
  [
    'of which one changes what stood there are taken at the first word',
    [adding(`${was}\n- ${facts[0]}\n`, 0), adding(was.replace('.', `. ${facts[1]}`), 1)],
    [was, facts[0] ?? '', 'sesn_0/sevt_0'],
    { conflicting_operation: 1 },
  ],
])('revisions of two topics %s', async (_, operations, held, fallen) => {
  const { applied, report } = await dream(sessions, aSnapshot(aMemory(PATH, was)), {
    lessons: (content) => {
      const found = lessons(content) as readonly object[];
      return found.map((each) => ({ ...each, existing_path: PATH, stance: 'confirms' }));
    },
    operations: () => operations,
  });
  const text = applied.next.get(PATH) ?? '';
  for (const part of held) expect(text.split(part.trim())).toHaveLength(2);
  expect(report.dropped_counts).toEqual(fallen);
});
