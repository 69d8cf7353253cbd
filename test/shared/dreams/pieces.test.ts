// Goal: reflection reads every event of a session, and only it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { quoteStands } from '#shared/dreams/evidence.ts';
import { linesOf, textOfEvent } from '#shared/dreams/lines.ts';
import { piecesOf, pieceText } from '#shared/dreams/pieces.ts';
import { factsOf, outcomeOf } from '#shared/dreams/session-facts.ts';
import { aSnapshot, NEW } from './samples.ts';
import { anEvent, dream, toolSays, userSays } from './rig.ts';

const known = {
  session_id: 'sesn_1',
  agent_id: 'agent_1',
  agent_version: 1,
  model_id: 'm',
  created_at: NEW,
  cost_microcents: null,
};
const facts = factsOf(known, []);

test('every event stands in a piece, whole or in ordered parts, and neighbours overlap', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(sizes, (all) => {
      const events = all.map((size, n) => userSays(`${n}-`.padEnd(size, 'é'), `sevt_${n}`));
      const lines = events.flatMap((event) => linesOf('sthr_1', event));
      const pieces = [...piecesOf(facts, lines)];
      expect(pieces).toEqual([...piecesOf(facts, lines)]);
      expect(pieces.map(({ n }) => n)).toEqual(pieces.map((_, n) => n));
      const seen = new Set(pieces.flatMap((piece) => piece.lines));
      expect([...seen]).toEqual(lines);
      for (const event of events) {
        const own = lines.filter(({ event_id }) => event_id === event.id);
        expect(own.map(({ text }) => text).join('')).toBe(textOfEvent(event));
      }
      for (const piece of pieces) {
        expect(pieceText(piece, 'b').length).toBeLessThan(
          limits.piece_chars_max + limits.piece_line_chars_max,
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('a piece begins with the last short lines of the one before', () => {
  const events = Array.from({ length: 90 }, (_, n) => userSays('x'.repeat(1_000), `sevt_${n}`));
  const lines = events.flatMap((event) => linesOf('sthr_1', event));
  const [first, second] = [...piecesOf(facts, lines)];
  expect(second?.lines.slice(0, 3)).toEqual(first?.lines.slice(-3));
});

test('an event is read with its words as they stand and without the bytes of images', () => {
  const image = { type: 'image', source: { type: 'base64', data: 'A'.repeat(400) } };
  const text = 'line one\n"line" two';
  const event = anEvent('user.message', { content: [{ type: 'text', text }, image] });
  expect(textOfEvent(event)).toContain(text);
  expect(textOfEvent(event)).toContain('400 characters of base64');
  expect(linesOf('sthr_1', toolSays('x'))[0]?.speaker).toBe('tool');
});

test('a session is known by its verdicts, errors, denials, interrupts and corrections', () => {
  const found = factsOf(known, [
    userSays('do it', 'sevt_1'),
    anEvent('agent.message', { content: [] }, 'sevt_2'),
    userSays('no, so', 'sevt_3'),
    anEvent('agent.tool_result', { is_error: true, content: [] }, 'sevt_4'),
    anEvent('user.tool_confirmation', { result: 'deny', tool_use_id: 'x' }, 'sevt_5'),
    anEvent('user.interrupt', {}, 'sevt_6'),
    anEvent('span.outcome_evaluation_end', { result: 'needs_revision' }, 'sevt_7'),
    anEvent('span.outcome_evaluation_end', { result: 'interrupted' }, 'sevt_8'),
  ]);
  expect(found).toMatchObject({
    errors: ['sevt_4'],
    denials: ['sevt_5'],
    interrupts: ['sevt_6'],
    corrections: ['sevt_3'],
  });
  expect(found.verdicts.map(({ result }) => result)).toEqual(['failure', 'unsure']);
  expect(outcomeOf(found)).toBe('failure');
  expect(outcomeOf(facts)).toBe('unknown');
});

test.each([
  ['the very words', 'needs node 24', true],
  ['other white space and quotation marks', 'says “it\n needs node', true],
  ['what JSON escapes', 'first line second line', true],
  ['words in another order', 'node 24 needs', false],
  ['a word too few to show anything', 'it', false],
])('a quote of %s', (_, quote, stands) => {
  const text = String.raw`It says "it needs node 24" and {"command":"first line\nsecond line"}`;
  expect(quoteStands(quote, text)).toBe(stands);
});

test.each([
  ['four signs of Japanese', '税込表示', '金額は必ず税込表示にしてください。', true],
  ['three signs, which stand in any text', '税込表', '金額は必ず税込表示にしてください。', false],
  ['right to left, without its marks', 'استخدم الفاصلة', '\u200fاستخدم \u202bالفاصلة\u202c', true],
  ['German quotation marks', 'die Spalte "Netto"', 'Nimm die Spalte „Netto“.', true],
  ['French ones', 'la colonne "Net"', 'Prenez la colonne «Net».', true],
  ['composed and decomposed letters', 'Lösch die Größe', 'Lo\u0308sch die Gro\u0308ße', true],
  ['another letter', 'Losch die Große', 'Lösch die Größe', false],
])('a quote of %s', (_, quote, text, stands) => {
  expect(quoteStands(quote, text)).toBe(stands);
});

test('a session of a thousand verdicts tells each of its pieces the newest, and no more than a piece', async () => {
  const count = 1_000;
  const verdicts = Array.from({ length: count }, (_, n) =>
    anEvent(
      'span.outcome_evaluation_end',
      {
        outcome_id: `outc_${n}`,
        result: 'needs_revision',
        explanation: `verdict-${n} `.repeat(90),
      },
      `sevt_v${n}`,
      new Date(Date.parse(NEW) + n).toISOString(),
    ),
  );
  const { model, report } = await dream(
    { sesn_1: [userSays('Do it.', 'sevt_1'), ...verdicts] },
    aSnapshot(),
    {},
  );
  expect(report.skipped).toEqual([]);
  const asked = model.requests.map(({ body }) => JSON.stringify(body.messages));
  expect(asked.length).toBeGreaterThan(10);
  const most =
    limits.piece_chars_max + limits.piece_overlap_chars + limits.piece_verdicts_chars_max;
  for (const text of asked) expect(text.length).toBeLessThan(most * 1.2);
  expect(asked[0]).toContain(`verdict-${count - 1} `);
});
