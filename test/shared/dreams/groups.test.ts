// Goal: what may contradict or repeat each other comes before the model together, and code alone puts
// together only what says the same.
import { describe, expect, test } from 'vitest';
import type { Candidate } from '#shared/dreams/candidate.ts';
import { distinctLessons, sameMemories, withoutKnown } from '#shared/dreams/duplicates.ts';
import { believedAt } from '#shared/dreams/believed.ts';
import { groupsOf } from '#shared/dreams/groups.ts';
import { parsePlaybook, type PlaybookFacts } from '#shared/playbooks/playbook.ts';
import { splitTrailer } from '#shared/playbooks/trailer.ts';
import { aPlaybook } from '../playbooks/samples.ts';
import { aMemory, aSnapshot, someEvidence } from './samples.ts';

function aCandidate(candidate_id: string, situation: string, advice: string): Candidate {
  const learned_from = { agent_id: 'agent_1', agent_version: 1, model: 'claude-opus-5' };
  const evidence = [someEvidence({ event_id: candidate_id })];
  return { candidate_id, kind: 'success', learned_from, situation, advice, why: '', evidence };
}

const shapes = (lessons: readonly Candidate[], ...memories: ReturnType<typeof aMemory>[]) =>
  groupsOf(distinctLessons(lessons), aSnapshot(...memories), new Set()).map((group) => [
    group.lessons.map(({ candidate_id }) => candidate_id),
    group.memories.map(({ path }) => path),
  ]);

const task =
  'Work through the morning queue, oldest first, and draft answers that need no engineer.';
const sla = aMemory(
  '/sla.md',
  'Tickets of dealers are answered within 12 hours. It stands in the new contract, which was signed in spring and holds for all regions and brands.',
);
const other = aMemory('/office.md', 'The office has moved to the harbour and has new keys.');

test('an advice comes with the memory that speaks of the same, however long both are', () => {
  const lesson = aCandidate('a', task, 'Tickets of dealers must be answered within 24 hours.');
  expect(shapes([lesson], sla, other)).toEqual([[['a'], ['/sla.md']]]);
});

test('an advice about something else comes alone', () => {
  const lesson = aCandidate('a', task, 'Refunds above 60 EUR go to the claims team.');
  expect(shapes([lesson], sla, other)).toEqual([[['a'], []]]);
});

test('advices that are alike come together, in whatever task each was learned', () => {
  const first = aCandidate('a', task, 'Returned goods go to hall 4 for inspection.');
  const second = aCandidate(
    'b',
    'Compare the freight bills of the last month with what had been booked, and list the rest.',
    'Returned goods go to hall 9 for inspection.',
  );
  expect(shapes([first, second])).toEqual([[['a', 'b'], []]]);
});

describe('memories that say the same are put together by code', () => {
  const isMerged = (a: string, b: string, ending = 'md'): boolean => {
    const two = aSnapshot(aMemory(`/a.${ending}`, a), aMemory(`/b.${ending}`, b));
    return sameMemories(two, () => 'c0001').operations.length > 0;
  };

  test.each([
    ['Use tabs.\n', 'use  TABS'],
    ['Use tabs; then run "lint".', 'Use tabs. Then, run lint!'],
    ['  Use tabs,\n  then run lint.\n', 'Use tabs, then run lint.'],
    ['- Use tabs\n- Run `lint`', '# Use tabs\n* Run lint.'],
    ['Dates are written as 2026-11-20.', 'DATES ARE WRITTEN AS 2026-11-20'],
  ])('%j and %j', (a, b) => {
    expect(isMerged(a, b)).toBe(true);
  });

  test.each([
    ['Retry when the delay is > 30 s.', 'Retry when the delay is < 30 s.'],
    ['The driver is written in C++.', 'The driver is written in C#.'],
    ['✅ Deploy on Fridays', '❌ Deploy on Fridays'],
    ['The offset is -5 minutes.', 'The offset is 5 minutes.'],
    ['Prices are in $.', 'Prices are in €.'],
    ['Deploy on Fridays.', 'Deploy on Fridays?'],
    ['The folder is aBcDe.', 'The folder is AbCdE.'],
    ['The build is r2D.', 'The build is R2d.'],
    ['It reads `PATH`.', 'It reads `path`.'],
    ['Ask Mr Muller.', 'Ask Mr Müller.'],
    ['a:\n  b:\n  c: off', 'a:\n  b:\n    c: off'],
    [`key ${'k'.repeat(70)}x`, `key ${'k'.repeat(70)}y`],
  ])('but not %j and %j', (a, b) => {
    expect(isMerged(a, b)).toBe(false);
  });

  test('but not what a program reads in its place', () => {
    expect(isMerged('{"mode": "fast"}', '{"mode": "fast"}', 'json')).toBe(false);
  });
});

describe('lessons that say the same become one by code, and what a memory says is not said again', () => {
  const lesson = (what: string): [Candidate, Candidate] => {
    const [situation = '', advice = ''] = what.split(' | ');
    return [
      aCandidate('a', situation, advice),
      aCandidate('b', situation, `${situation} ${advice}`),
    ];
  };

  test.each<[one: string, other: string, is_same: boolean]>([
    [
      'When the invoice of a customer is exported from the billing system at the end of the month | Use the new template with semicolons and send it to the accounting office in Berlin',
      'When the invoices of a customer are exported from the billing system at the end of the month | Use the new template with semicolons and send it to the accounting office in Berlin',
      true,
    ],
    [
      'When the invoice of a customer is exported from the billing system at the end of the month | Use the new template with semicolons and send it to the accounting office in Berlin',
      'When the invoice of a customer is exported from the billing system at the end of the month | Always use the new template with semicolons and send it to the accounting office in Berlin',
      true,
    ],
    [
      'When the invoices of Acme are exported at the end of the month | Use the template with semicolons and send it to the office in Berlin',
      'When the invoices of Globex are exported at the end of the month | Use the template with semicolons and send it to the office in Berlin',
      false,
    ],
    [
      'When a service is deployed to staging by the pipeline of the team | Ask its owner for approval and write the change into the calendar of releases',
      'When a service is deployed to production by the pipeline of the team | Ask its owner for approval and write the change into the calendar of releases',
      false,
    ],
    [
      'Beim Export der Rechnungen am Ende des Monats | Den Dezimalpunkt verwenden und die Datei an die Buchhaltung in Berlin schicken',
      'Beim Export der Rechnungen am Ende des Monats | Den Dezimalpunkt nicht verwenden und die Datei an die Buchhaltung in Berlin schicken',
      false,
    ],
    [
      '請求書を月末に会計システムから出力するとき | 小数点にはコンマを使用し、ファイルは経理部の田中さんに送付する',
      '請求書を月末に会計システムから出力するとき | 小数点にはコンマを使用せず、ファイルは経理部の田中さんに送付する',
      false,
    ],
    [
      'عند تصدير الفواتير في نهاية الشهر من نظام المحاسبة في برلين | استخدم الفاصلة العشرية وأرسل الملف إلى قسم المحاسبة',
      'عند تصدير الفواتير في نهاية الشهر من نظام المحاسبة في برلين | لا تستخدم الفاصلة العشرية وأرسل الملف إلى قسم المحاسبة',
      false,
    ],
  ])('%s / %s: %s', (one, other, is_same) => {
    const [first] = lesson(one);
    const [second, whole] = lesson(other);
    const both = distinctLessons([first, { ...second, candidate_id: 'c' }]);
    expect(both).toHaveLength(is_same ? 1 : 2);
    const known = aSnapshot(aMemory('/known.md', one.replace(' | ', ' ')));
    expect(withoutKnown(distinctLessons([whole]), known).dropped).toHaveLength(is_same ? 1 : 0);
  });
});

describe('what code has written beside the words of memories that become one', () => {
  const learned = (day: string, history = ''): string =>
    `Use tabs.\n\n<!-- reverie:sources -->\nLearned from: sesn_1/sevt_${day} (2026-11-${day}T00:00:00.000Z)\n${history}`;
  const merged = (...memories: ReturnType<typeof aMemory>[]): string[] =>
    sameMemories(aSnapshot(...memories), () => 'c0001').operations.map((operation) =>
      'text' in operation ? operation.text : '',
    );

  test('notes keep every source and all history, so that the one is as new as the newest of them', () => {
    const lost = 'Superseded: "Use spaces." (until 2026-11-01)\n';
    const [text = ''] = merged(
      aMemory('/a.md', learned('10')),
      aMemory('/b.md', learned('19', lost)),
    );
    const { body, sources, history } = splitTrailer(text);
    expect(body).toBe('Use tabs.\n');
    expect(sources.map((source) => source.slice(-26, -16))).toEqual(['(2026-11-1', '(2026-11-1']);
    expect(believedAt(aMemory('/a.md', text))).toBe('2026-11-19T00:00:00.000Z');
    expect(history).toEqual(['"Use spaces." (until 2026-11-01)']);
  });

  test('what has nothing more, and what a person has written, stays to the byte', () => {
    const own = '  Use tabs.\n\n\n';
    expect(merged(aMemory('/a.md', own), aMemory('/b.md', 'Use tabs.'))).toEqual([own]);
    const by_hand = aMemory('/b.md', own, { by_hand: true });
    expect(merged(aMemory('/a.md', learned('10')), by_hand)).toEqual([own]);
  });

  test('playbooks of one agent keep the counts of both; those of two agents stay two', () => {
    const agent = { agent_id: 'agent_2', agent_version: 1, model: 'm' };
    const counted = { helpful: 2, harmful: 0, counted_sessions: ['sesn_7'] };
    const book = (path: string, over: Partial<PlaybookFacts>) => aMemory(path, aPlaybook(over));
    const [text = ''] = merged(
      book('/playbooks/a.md', { counted_sessions: ['sesn_3'] }),
      book('/playbooks/b.md', { id: 'b', ...counted, last_confirmed: '2026-11-25T00:00:00Z' }),
    );
    expect(parsePlaybook(text)).toMatchObject({
      facts: {
        id: 'csv',
        helpful: 5,
        harmful: 1,
        counted_sessions: ['sesn_3', 'sesn_7'],
        last_confirmed: '2026-11-25T00:00:00Z',
      },
    });
    const mine = book('/playbooks/a.md', { scope: 'private' });
    expect(
      merged(mine, book('/playbooks/b.md', { scope: 'private', learned_from: agent })),
    ).toEqual([]);
    expect(merged(mine, book('/playbooks/b.md', {}))).toEqual([]);
  });
});
