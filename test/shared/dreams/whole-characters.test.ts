// Goal: no bound of ours cuts a character in two. Half of one is taken by no model, row or memory, so
// what is cut so is lost whole: a piece that is skipped, a lesson that is dropped.
import { expect, test } from 'vitest';
import { verdictAfter } from '#shared/dreams/use-verdict.ts';
import { parsePlaybook } from '#shared/playbooks/playbook.ts';
import { aLesson, anEvent, dream, userSays } from './rig.ts';
import { aMemory, aSnapshot, NEW } from './samples.ts';

const faces = '\u{1F600}'.repeat(400);

test('a piece is read whatever the memories say that it is told of', async () => {
  const words = 'Build the harvest service with pnpm.';
  const memories = aSnapshot(
    aMemory('/notes/even.md', `${words} ${faces}`),
    aMemory('/notes/odd.md', `${words}  ${faces}`),
  );
  const sessions = { sesn_1: [userSays(`${words} So says the user.`)] };
  const { model, report } = await dream(sessions, memories, {});
  expect(model.violations).toEqual([]);
  expect(report.skipped).toEqual([]);
});

test.each(['', 'x'])(
  'a playbook has a situation that is too long, cut short (%j)',
  async (first) => {
    const sessions = { sesn_1: [userSays('Build it with pnpm run harvest, always.')] };
    const { report, applied } = await dream(sessions, aSnapshot(), {
      lessons: () => [aLesson('Build it with pnpm run harvest', { situation: first + faces })],
      operations: () => [
        {
          op: 'add',
          lessons: ['L1'],
          title: 'Building',
          format: 'playbook',
          text: '1. Build it with pnpm run harvest.',
          reason: 'It was said.',
        },
      ],
    });
    expect(report.dropped).toEqual([]);
    // Its front matter is JSON, which would write half a character as its number.
    const playbook = parsePlaybook(applied.next.get('/playbooks/building.md') ?? '');
    expect('facts' in playbook && playbook.facts.situation.isWellFormed()).toBe(true);
  },
);

test.each(['', 'x'])('the quote of a verdict has whole characters (%j)', (first) => {
  const fields = { outcome_id: 'outc_1', result: 'satisfied', explanation: first + faces };
  const judged = anEvent('span.outcome_evaluation_end', fields);
  expect(verdictAfter(NEW, [judged], [])?.quote.isWellFormed()).toBe(true);
});
