// Goal: of what contradicts each other the newer stands and the older is on record, whatever the model
// proposes. Method: whole dreams whose model adds, appends and takes away with evidence of either age.
import { describe, expect, test } from 'vitest';
import { aMemory, aSnapshot, OLD } from './samples.ts';
import { aLesson, dream, userSays, type Mind } from './rig.ts';

const text = 'The mill listens on port 8080. Its logs are rotated by hand every Friday.\n';
const store = aSnapshot(aMemory('/mill.md', text), aMemory('/tea.md', 'Tea is green.\n'));
const said = 'The mill listens on port 9090.';
const before = '2026-10-01T00:00:00.000Z';

/** What the only lesson says, and what the model makes of it. */
const mind = (operation: object, lesson: object = {}): Mind => ({
  lessons: () => [aLesson(said, { advice: said, situation: 'Calling the mill.', ...lesson })],
  operations: () => [{ reason: 'It was said.', lessons: ['L1'], ...operation }],
});
const add = { op: 'add', format: 'note', title: 'The mill', text: said };
const append = { op: 'revise', path: '/mill.md', text: `${text}\n${said}\n` };

describe.each([
  ['adds a memory', add],
  ['appends', append],
])('a model that %s', (_, operation) => {
  test('changes nothing with evidence older than what says otherwise, and it is on record', async () => {
    const sessions = { sesn_1: [userSays(said, 'sevt_1', before)] };
    const { applied, report } = await dream(sessions, store, mind(operation));
    expect([...applied.next]).toEqual(store.memories.map(({ path, text: own }) => [path, own]));
    expect(report.dropped).toMatchObject([
      { reason: 'older_evidence', evidence: [{ session_id: 'sesn_1', at: before }] },
    ]);
    expect(report.dropped[0]?.what).toContain(`/mill.md says otherwise since ${OLD}`);
  });

  test('supersedes with newer evidence: only the newer stands, the older is history', async () => {
    const { applied, report } = await dream({ sesn_1: [userSays(said)] }, store, mind(operation));
    expect([...applied.next.keys()].toSorted()).toEqual(['/_index.md', '/mill.md', '/tea.md']);
    const [own = '', trailer] = (applied.next.get('/mill.md') ?? '').split('<!--');
    expect(own).toContain(said);
    expect(own).toContain('Its logs are rotated by hand every Friday.');
    expect(own).not.toContain('8080');
    expect(trailer).toContain(`Superseded: "The mill listens on port 8080." (until ${OLD})`);
    expect(report.operations).toMatchObject([{ op: 'supersede', loser: { at: OLD } }]);
  });
});

test('an older lesson that the model alone knows to contradict changes nothing either', async () => {
  const other = 'Whoever calls the mill takes the side door.';
  const sessions = { sesn_1: [userSays(other, 'sevt_1', before)] };
  const lesson = { existing_path: '/mill.md', stance: 'contradicts', advice: other };
  const told = mind(
    { ...add, text: other },
    { ...lesson, evidence: [{ event_id: 'sevt_1', quote: other }] },
  );
  const { applied, report } = await dream(sessions, store, told);
  expect(applied.next.size).toBe(2);
  expect(report.dropped_counts).toEqual({ older_evidence: 1 });
});

test('of two lessons only the newer is shown; the older is history of what it leads to', async () => {
  const older = 'Flour goes to Hale in the tower.';
  const newer = 'Flour now goes to Okoye in the tower instead of Hale.';
  const sessions = {
    sesn_1: [userSays(newer)],
    sesn_2: [userSays(older, 'sevt_1', before)],
  };
  let shown = '';
  const { applied, report } = await dream(sessions, store, {
    lessons: (content) => {
      const quote = content.includes(newer) ? newer : older;
      return [aLesson(quote, { advice: quote, situation: 'Flour.' })];
    },
    operations: (content) => {
      shown += content;
      return [{ ...add, title: 'Flour', text: newer, reason: 'Said.', lessons: ['L1'] }];
    },
  });
  expect(shown).not.toContain(older);
  expect(applied.next.get('/notes/flour.md')).toContain(`Superseded: "${older}" (seen ${before})`);
  expect(report.dropped_counts).toEqual({ older_evidence: 1 });
});

test.each(['revise', 'merge'])('%s takes nothing away on older evidence', async (op) => {
  const lesson = 'Whoever calls the mill takes the side door.';
  const sessions = { sesn_1: [userSays(lesson, 'sevt_1', before)] };
  const what = 'Its logs are rotated by hand every Friday.';
  const told = mind(
    {
      op,
      path: '/mill.md',
      paths: ['/mill.md', '/tea.md'],
      text: `The mill listens on port 8080. Tea is green.\n\n${lesson}\n`,
      removed: [{ what, why: 'It is not needed.' }],
    },
    {
      advice: lesson,
      existing_path: '/mill.md',
      evidence: [{ event_id: 'sevt_1', quote: lesson }],
    },
  );
  const both = aSnapshot(
    ...store.memories.map((each) => ({
      ...each,
      text: each.text.replace('Tea', 'The mill listens on port 8080. Tea'),
    })),
  );
  const { report } = await dream(sessions, op === 'merge' ? both : store, told);
  expect(report.operations).toEqual([]);
  expect(report.dropped_counts).toEqual(op === 'merge' ? expect.anything() : { older_evidence: 1 });
});
