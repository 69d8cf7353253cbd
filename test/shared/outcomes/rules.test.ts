// Goal: the small rules that a verdict hangs on, each by a table.
import { describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { speaksOfFiles, speaksOfWhole } from '#shared/outcomes/evidence.ts';
import { explain } from '#shared/outcomes/explanation.ts';
import { namedPaths } from '#shared/outcomes/graded-files.ts';

const criterion = (text: string) => ({ id: 'c1', under: [], text });

test.each([
  ['All figures are in one .xlsx with an Assumptions sheet', true],
  ['No file is larger than 1 MB', true],
  ['The result is saved as `summary.csv`', true],
  ['The output folder holds three charts', true],
  ['/mnt/session/outputs/report.md is there', true],
  ['The summary names three risks', false],
  ['Revenue grows by 4 % a year.', false],
  ['Costs, e.g. rent, are listed', false],
])('whether "%s" speaks of files: %s', (text, is_so) => {
  expect(speaksOfFiles(criterion(text))).toBe(is_so);
});

test.each([
  ['It never names a customer', true],
  ['There is no jargon', true],
  ["It doesn't mention prices", true],
  ['Every figure has a unit', true],
  ['The language is consistent', true],
  ['It has at most 500 words', true],
  ['The summary names three risks', false],
  ['Notes are at the end', false],
])('whether "%s" is about the whole or an absence: %s', (text, is_so) => {
  expect(speaksOfWhole(criterion(text))).toBe(is_so);
});

test.each<[string, string[]]>([
  ['Read `/workspace/my data/a.csv`, then /tmp/b.txt.', ['/workspace/my data/a.csv', '/tmp/b.txt']],
  ['(/mnt/session/uploads/x.pdf)', ['/mnt/session/uploads/x.pdf']],
  ['/workspace/', ['/workspace']],
  ['/workspace/a /workspace/a', ['/workspace/a']],
  ['/workspace/../etc/passwd and /etc/passwd and `/workspace/./x`', []],
  ['https://example.com/workspace/x', []],
  ['and/or', []],
])('the paths that "%s" names', (text, paths) => {
  expect(namedPaths(text)).toEqual(paths);
});

describe('an explanation', () => {
  const judged = (n: number) =>
    ({
      id: `c${n}`,
      text: `text ${n}\nof it`,
      verdict: 'not_met',
      reason: 'why '.repeat(500),
      evidence: [],
    }) as const;

  test('is bounded and says how many criteria it leaves out', () => {
    const text = explain(Array.from({ length: 100 }, (_, n) => judged(n)));
    expect(text.length).toBeLessThanOrEqual(limits.explanation_chars_max);
    expect(text).toMatch(/And \d+ more criteria/);
  });

  test('keeps a criterion to one line', () => {
    expect(explain([judged(1)]).split('\n')).toHaveLength(2);
  });
});
