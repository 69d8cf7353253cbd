// Goal: every rubric becomes the criteria that its author meant, and none is lost. Method: a table
// of rubrics as people write them, and properties over made and over arbitrary ones.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { criteriaOf } from '#shared/outcomes/criteria.ts';

/** `under › text` of each criterion. */
const said = (rubric: string): string[] =>
  criteriaOf(rubric).map(({ under, text }) => [...under, text].join(' › '));

const table: [name: string, rubric: string, criteria: string[]][] = [
  ['plain text is one', 'The report must be good.\nReally.', ['The report must be good.\nReally.']],
  [
    'paragraphs are one each',
    'It has a title.\n\nIt has an end.',
    ['It has a title.', 'It has an end.'],
  ],
  ['bullets', '- a\n* b\n+ c', ['a', 'b', 'c']],
  ['numbers and boxes', '1. a\n2) [ ] b\n- [x] c', ['a', 'b', 'c']],
  ['weights and must stay', '- (30 %) must: x', ['(30 %) must: x']],
  [
    'headings stand above their items',
    '# DCF\nJudges a model.\n## Revenue\n- five years\n## Output\n- one file',
    ['DCF › Revenue › five years', 'DCF › Output › one file'],
  ],
  [
    'a section of prose is its paragraphs',
    '# R\n## A\n- x\n## B\nAll in one file.\n\nNo macros.',
    ['R › A › x', 'R › B › All in one file.', 'R › B › No macros.'],
  ],
  [
    'a heading with nothing below is one',
    '# R\n## Has a summary\n## Has sources',
    ['R › Has a summary', 'R › Has sources'],
  ],
  [
    'an item with items below is one of its own',
    '- summary\n  - one page\n  - three risks\n- end',
    ['summary', 'summary › one page', 'summary › three risks', 'end'],
  ],
  [
    'unless it only introduces them',
    '- The sheet must hold:\n    - rates\n      - by year\n    - dates',
    [
      'The sheet must hold: › rates',
      'The sheet must hold: › rates › by year',
      'The sheet must hold: › dates',
    ],
  ],
  [
    'a paragraph introduces the list behind it, and prose between lists explains',
    'It has:\n\n- a\n\nSome words.\n\n- b',
    ['It has: › a', 'b'],
  ],
  [
    'tables',
    '| Criterion | Weight |\n|:--|--:|\n| sums agree | 20 |\n| a \\| b | |',
    ['Criterion: sums agree | Weight: 20', 'Criterion: a \\| b'],
  ],
  [
    'code stays whole',
    '- prints:\n  ```\n  # no heading\n  - no item\n  ```\n- ends',
    ['prints:\n  ```\n  # no heading\n  - no item\n  ```', 'ends'],
  ],
  ['code that nobody closes', 'Runs:\n\n```sh\n- x', ['Runs:\n```sh\n- x']],
  ['lines and paragraphs of an item', '- a\nb\n\n  c\n- d', ['a\nb\nc', 'd']],
  [
    'underlined headings and rules',
    'Title\n===\n\nPart\n---\n- a\n\n***\n- b',
    ['Title › Part › a', 'Title › Part › b'],
  ],
  ['quoted prose', '> It has\n> an end.', ['It has\nan end.']],
  ['a number within prose', 'Sales of\n2025. Then more.', ['Sales of\n2025. Then more.']],
  ['Windows lines', '- a\r\n- b\r\n', ['a', 'b']],
  ['empty items are none', '- \n- a', ['a']],
  ['only marks', '---', ['---']],
  ['nothing', ' \n ', []],
];

test.each(table)('%s', (_, rubric, criteria) => {
  expect(said(rubric)).toEqual(criteria);
});

const words = fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8}){0,4}$/);
const made = fc.array(
  fc.record({ title: words, items: fc.array(words, { minLength: 1, maxLength: 5 }) }),
  { minLength: 1, maxLength: 6 },
);

test('every item of every section is one criterion under its heading', () => {
  fc.assert(
    fc.property(made, fc.constantFrom('-', '*', '1.'), (sections, mark) => {
      const rubric = sections
        .map(({ title, items }) => `## ${title}\n\n${items.map((i) => `${mark} ${i}`).join('\n')}`)
        .join('\n\n');
      expect(said(rubric)).toEqual(
        sections.flatMap(({ title, items }) => items.map((item) => `${title} › ${item}`)),
      );
    }),
  );
});

const noise = fc
  .array(
    fc.oneof(
      words,
      fc.constantFrom(
        '',
        '# ',
        '- ',
        '  - ',
        '1. ',
        '```',
        '---',
        '===',
        '|',
        '|-|',
        '> ',
        '\t',
        ':',
      ),
      fc.string({ maxLength: 12 }),
    ),
    { maxLength: 30 },
  )
  .chain((parts) => fc.constantFrom(parts.join('\n'), parts.join(''), parts.join(' ')));

test('whatever is written becomes criteria in its own words, the same each time', () => {
  fc.assert(
    fc.property(noise, (rubric) => {
      const criteria = criteriaOf(rubric);
      expect(criteriaOf(rubric)).toEqual(criteria);
      expect(criteria.map(({ id }) => id)).toEqual(criteria.map((_, n) => `c${n + 1}`));
      expect(criteria.length === 0).toBe(rubric.trim() === '');
      const known = new Set(rubric.split(/[^a-z]+/));
      for (const { text, under } of criteria) {
        expect(text.trim()).not.toBe('');
        for (const word of [text, ...under].join(' ').split(/[^a-z]+/)) {
          expect(known).toContain(word === '' ? [...known][0] : word);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a rubric of more criteria than can be judged has its last ones joined', () => {
  const count = limits.criteria_max + 20;
  const criteria = criteriaOf(Array.from({ length: count }, (_, n) => `- item${n}.`).join('\n'));
  expect(criteria).toHaveLength(limits.criteria_max);
  expect(criteria.at(-2)?.text).toBe(`item${limits.criteria_max - 2}.`);
  expect(criteria.at(-1)?.text.split('\n')).toHaveLength(21);
});

test.each(['# ', '- ', '|-', '> ', ':', ' ', '`', '1. '])(
  'a line of nothing but "%s" takes no longer than it is long',
  (mark) => {
    const began = Date.now();
    criteriaOf(`${mark.repeat(60_000)}x|\n${mark.repeat(60_000)}x|`);
    expect(Date.now() - began).toBeLessThan(5_000);
  },
);
