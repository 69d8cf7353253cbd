// Goal: what a sent model becomes follows from it and from the version before alone.
import { describe, expect, test } from 'vitest';
import { nextContent, type CurrentModel } from '#shared/outcome-models/model-rules.ts';
import { ModelPut } from '#shared/outcome-models/model-wire.ts';

const sent = (body: object): ModelPut => ModelPut.parse(body);
const criteria = (...texts: string[]) => ({ success_criteria: texts.map((text) => ({ text })) });
const ids = ({ success_criteria }: { success_criteria: readonly { id: string }[] }) =>
  success_criteria.map(({ id }) => id);

function current(body: object, version = 1): CurrentModel {
  return { version, deleted_at: null, content: nextContent(undefined, sent(body)) };
}

describe('a model', () => {
  test('has its defaults and ids filled in', () => {
    expect(
      nextContent(
        undefined,
        sent({
          success_criteria: [{ text: 'A' }, { id: 'own', text: 'B', weight: 'should' }],
          failure_modes: [{ text: 'C' }],
          signals: [{ text: 'D' }, { id: 's1', text: 'E' }],
        }),
      ),
    ).toEqual({
      success_criteria: [
        { id: 'c1', text: 'A', weight: 'must' },
        { id: 'own', text: 'B', weight: 'should' },
      ],
      failure_modes: [{ id: 'f1', text: 'C' }],
      signals: [
        { id: 's2', text: 'D' },
        { id: 's1', text: 'E' },
      ],
      report: true,
    });
  });

  test('keeps the id of a text that it had, and gives no id of another text again', () => {
    const before = current(criteria('A', 'B'));
    expect(ids(nextContent(before, sent(criteria('B', 'C'))))).toEqual(['c2', 'c3']);
  });

  test('gives two items of the same text two ids', () => {
    const before = current(criteria('A'));
    expect(ids(nextContent(before, sent(criteria('A', 'A'))))).toEqual(['c1', 'c2']);
  });

  test.each([
    ['the same', criteria('A'), true],
    ['another text', criteria('B'), false],
    ['another weight', { success_criteria: [{ text: 'A', weight: 'should' }] }, false],
    ['a signal', { ...criteria('A'), signals: [{ text: 'S' }] }, false],
    ['no report', { ...criteria('A'), report: false }, false],
  ])('that is sent with %s is a new one or not', (_, body, is_same) => {
    const before = current(criteria('A'));
    expect(nextContent(before, sent(body)) === before.content).toBe(is_same);
  });

  test.each([
    [undefined, 0, undefined],
    [undefined, 1, 'there is none yet'],
    [current(criteria('A'), 3), 3, undefined],
    [current(criteria('A'), 3), 2, 'it is at version 3'],
    [current(criteria('A'), 3), 0, 'it is at version 3'],
  ])('is changed only at the version that was seen (%#)', (before, version, says) => {
    const change = () => nextContent(before, sent({ ...criteria('B'), version }));
    if (says === undefined) expect(change).not.toThrow();
    else expect(change).toThrow(says);
  });

  test('that was deleted is not changed any more', () => {
    const gone = { ...current(criteria('A')), deleted_at: '2026-11-21T00:00:00.000Z' };
    expect(() => nextContent(gone, sent(criteria('B')))).toThrow('cannot be undone');
  });

  test('names an id that stands there twice, in whichever lists', () => {
    const body = { ...criteria('A'), failure_modes: [{ id: 'x', text: 'F' }] };
    const twice = sent({ ...body, signals: [{ id: 'x', text: 'S' }] });
    expect(() => nextContent(undefined, twice)).toThrow("signals.0.id: 'x' stands there twice");
  });
});
