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
