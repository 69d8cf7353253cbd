// Goal: what may contradict or repeat each other comes before the model together.
import { expect, test } from 'vitest';
import type { Candidate } from '#shared/dreams/candidate.ts';
import { distinctLessons } from '#shared/dreams/duplicates.ts';
import { groupsOf } from '#shared/dreams/groups.ts';
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
