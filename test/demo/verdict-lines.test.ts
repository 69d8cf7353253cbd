import { expect, test } from 'vitest';
import { explain, type Judged } from '#shared/outcomes/explanation.ts';
import { verdictLines } from './verdict-lines.ts';

const judged = (id: string, verdict: Judged['verdict'], text = `Text "of" ${id}.`): Judged => ({
  id,
  text,
  verdict,
  reason: `Why ${id}.`,
  evidence: [],
});

test('each criterion of an explanation has its mark, in the order of the rubric', () => {
  const all = [judged('c1', 'met'), judged('c2', 'not_met'), judged('c10', 'cannot_tell')];
  expect(verdictLines(explain(all))).toEqual([
    { text: '✓ Text "of" c1.', colour: 'green' },
    { text: '✗ Text "of" c2. → Why c2.', colour: 'red' },
    { text: '? Text "of" c10. → Why c10.', colour: 'yellow' },
  ]);
});

test('an explanation without criteria has no lines', () => {
  expect(verdictLines('The rubric is empty.')).toEqual([]);
});
