import { expect, test } from 'vitest';
import { germanExport } from './german-export.ts';
import { lastLine, learningLines } from './learning-lines.ts';

test('a change is shown with its evidence, its diff and who accepted it', () => {
  const evidence = [{ session_id: 'sesn_1', event_id: 'sevt_1', quote: 'the  quote' }];
  const change = {
    id: 'c0001',
    operation: { op: 'add', reason: 'Because.', evidence },
    state: 'accepted',
    edits: [{ path: '/a.md', diff: '@@ @@\n-old\n+new' }],
    decided_by: 'apikey_1',
  };
  expect(learningLines({ step: 'change', change } as never).map(({ text }) => text)).toEqual([
    'c0001 add: Because.',
    '  evidence sesn_1 sevt_1: “the quote”',
    '  @@ @@',
    '  -old',
    '  +new',
    '  accepted by apikey_1, applied to the store',
  ]);
});

test('the last line says how the sessions went before and after', () => {
  const sessions = [
    { session_id: 'a', results: ['needs_revision', 'satisfied'] },
    { session_id: 'b', results: ['satisfied'] },
  ];
  const learned = { memory_store_id: 'm', sessions, changes: [{}] } as never;
  expect(lastLine(learned).text).toBe(
    'Before the dream: needs_revision, then satisfied. After it: satisfied.',
  );
  expect(lastLine({ memory_store_id: 'm', sessions, changes: [] }).text).toContain('nothing');
});

test('an export has the signs of a German spreadsheet, and years as they were', () => {
  const csv = 'year,source,value\n2001,Wind,1234567.5\n2002,Sun,-0.08\n2003,Wind,999\n';
  expect(germanExport(csv, ([, source]) => source === 'Wind')).toBe(
    'year;source;value\r\n2001;Wind;1.234.567,5\r\n2003;Wind;999\r\n',
  );
  expect(germanExport(csv)).toContain('2002;Sun;-0,08\r\n');
});
