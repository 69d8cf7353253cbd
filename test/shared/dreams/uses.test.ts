// Goal: playbooks live and die by what became of the sessions that read them. Method: signs of every
// kind for the verdict, and whole dreams over a model server for what becomes of the counts.
import { describe, expect, test } from 'vitest';
import { copyOf } from '#shared/dream-schedules/shared-copy.ts';
import { Counts } from '#shared/dreams/counts.ts';
import type { Snapshot } from '#shared/dreams/snapshot.ts';
import { quoteStands } from '#shared/dreams/evidence.ts';
import { textOfEvent } from '#shared/dreams/lines.ts';
import { reportMarkdown } from '#shared/dreams/report-markdown.ts';
import { verdictAfter, type UseSign } from '#shared/dreams/use-verdict.ts';
import type { JudgedUse } from '#shared/playbooks/count-uses.ts';
import { parsePlaybook, renderPlaybook, type PlaybookFacts } from '#shared/playbooks/playbook.ts';
import { splitTrailer } from '#shared/playbooks/trailer.ts';
import { aLesson, anEvent, dream, userSays, type Mind } from './rig.ts';
import { aMemory, anOperation, aSnapshot, NEW, OLD, someEvidence } from './samples.ts';

const at = (n: number): string => `2026-11-20T00:00:0${n}.000Z`;
const READ = at(2);
const KEY = 'AKIAIOSFODNN7EXAMPLE';
const judged = (result: string, n: number, explanation = `It is "${result}".\nBecause.`) =>
  anEvent(
    'span.outcome_evaluation_end',
    { outcome_id: 'outc_1', result, explanation },
    `sevt_${n}`,
    at(n),
  );
const answer = (n: number) => anEvent('agent.message', { content: [] }, `sevt_${n}`, at(n));
const stop = (n: number) => anEvent('user.interrupt', {}, `sevt_${n}`, at(n));
const says = (text: string, n: number) => userSays(text, `sevt_${n}`, at(n));

describe('what became of a session', () => {
  test.each([
    ['no sign', [answer(3)], undefined],
    ['a verdict that is met', [judged('satisfied', 3)], 'success'],
    ['one that is not', [judged('needs_revision', 3)], 'failure'],
    ['the last of all evaluations', [judged('max_iterations_reached', 3)], 'failure'],
    ['the newest of two', [judged('needs_revision', 3), judged('satisfied', 4)], 'success'],
    ['one from before the read', [judged('satisfied', 1)], undefined],
    ['none that judges', [judged('failed', 3), judged('interrupted', 4)], undefined],
    ['an interrupt', [judged('satisfied', 3), stop(4), judged('interrupted', 5)], 'failure'],
    ['an interrupt that was made good', [stop(3), judged('satisfied', 4)], 'success'],
    ['a correction', [answer(3), says('No, that is wrong.', 4)], 'failure'],
    ['a correction in later words', [answer(3), says('Hm. It does not work.', 4)], 'failure'],
    ['thanks', [answer(3), says('Thanks! Now do the other file.', 4)], undefined],
    ['a task that says no', [says('No, use the other file.', 3), answer(4)], undefined],
  ] as const)('by %s', (_, events, outcome) => {
    const sign = verdictAfter(READ, events, []);
    expect(sign?.outcome).toBe(outcome);
    if (sign === undefined) return;
    const event = events.find(({ id }) => id === sign.event_id);
    expect(event && quoteStands(sign.quote, textOfEvent(event))).toBe(true);
  });

  test.each([
    ['a grader', judged('satisfied', 3, `It names ${KEY}.`)],
    ['a user', says(`No, that is wrong. Use ${KEY}, not the other.`, 4)],
  ])('quoted without the key that %s names', (_, event) => {
    const sign = verdictAfter(READ, [answer(3), event], []);
    expect(sign?.quote).not.toContain(KEY);
    expect(quoteStands(sign?.quote ?? '', textOfEvent(event))).toBe(true);
  });

  test('not by words of which nothing can be quoted', () => {
    expect(verdictAfter(READ, [answer(3), says(`No: ${KEY}`, 4)], [])).toBeUndefined();
  });

  test('by an outcome report, which stands in no log', () => {
    const report: UseSign = {
      event_id: 'outrep_1',
      at: at(4),
      speaker: 'grader',
      outcome: 'success',
      quote: '{"run":1,"result":"satisfied"}',
    };
    expect(verdictAfter(READ, [stop(3)], [report])?.outcome).toBe('success');
    expect(verdictAfter(READ, [stop(5)], [report])?.outcome).toBe('failure');
    expect(verdictAfter(at(5), [], [report])).toBeUndefined();
  });
});

const path = '/playbooks/build.md';
const facts: PlaybookFacts = {
  id: 'build',
  title: 'Build the service',
  situation: 'The harvest service is to be built',
  scope: 'private',
  learned_from: { agent_id: 'agent_1', agent_version: 3, model: 'claude-opus-5' },
  evidence: [],
  helpful: 0,
  harmful: 0,
  last_confirmed: OLD,
};
const body = '1. Build the service with npm and look at what it says.\n';
const storeOf = (over: Partial<PlaybookFacts> = {}): Snapshot =>
  aSnapshot(aMemory(path, renderPlaybook({ facts: { ...facts, ...over }, body })));
const verdict = judged('satisfied', 3);
const correction = 'No: build the service with pnpm run harvest.';
const sessions = { sesn_1: [userSays(correction, 'sevt_1', at(1)), verdict] };
const useOf = (outcome: 'success' | 'failure', session_id = 'sesn_1'): JudgedUse => ({
  path,
  session_id,
  event_id: 'sevt_2',
  used_by: facts.learned_from,
  verdict: {
    session_id,
    event_id: verdict.id,
    quote: '"result":"satisfied"',
    at: at(3),
    speaker: 'grader',
    outcome,
  },
});
const lessons = () => [aLesson('build the service with pnpm run harvest', { existing_path: path })];
const revising: Mind = {
  lessons,
  operations: () => [
    {
      op: 'revise',
      path,
      text: `${body}2. Or with pnpm run harvest.\n`,
      removed: [],
      reason: 'The user says so.',
      lessons: ['L1'],
    },
  ],
};

function factsIn(next: ReadonlyMap<string, string>) {
  const playbook = parsePlaybook(splitTrailer(next.get(path) ?? '').body);
  return 'fault' in playbook ? undefined : playbook.facts;
}

describe('a dream', () => {
  test('moves counts without asking a model, and its report shows by what', async () => {
    const { applied, report, model } = await dream(
      { sesn_1: [verdict] },
      storeOf(),
      { lessons: () => [] },
      [useOf('success')],
    );
    expect(factsIn(applied.next)).toMatchObject({ helpful: 1, counted_sessions: ['sesn_1'] });
    expect(report.operations).toMatchObject([
      { op: 'revise', source: 'counts', evidence: [{ event_id: 'sevt_3', outcome: 'success' }] },
    ]);
    expect(report.playbook_uses).toMatchObject([
      { path, session_id: 'sesn_1', event_id: 'sevt_2', state: 'counted' },
    ]);
    const text = reportMarkdown(report);
    expect(text).toContain('The new store is recommended. There was nothing to ask:');
    expect(text).toContain('## Playbooks that were read');
    expect(text).toMatch(/read by `sesn_1` at `sevt_2`: counted; success, `sevt_3`/);
    expect(model.requests).toHaveLength(1);
  });

  test('counts none whose verdict does not stand in the log', async () => {
    const { applied, report } = await dream({ sesn_1: [] }, storeOf(), {}, [useOf('success')]);
    expect(factsIn(applied.next)?.helpful).toBe(0);
    expect(report.dropped_counts).toMatchObject({ quote_not_found: 1, no_evidence: 1 });
    expect(report.playbook_uses).toMatchObject([{ state: 'dropped' }]);
  });

  test('revises a playbook and moves its counts as one change, with the evidence of both', async () => {
    const { applied, report } = await dream(sessions, storeOf(), revising, [useOf('success')]);
    expect(report.operations).toMatchObject([
      { op: 'revise', source: 'model', reason: expect.stringContaining('1 succeeded') as string },
    ]);
    expect(report.operations[0]?.evidence.map(({ event_id }) => event_id)).toEqual([
      'sevt_1',
      'sevt_3',
    ]);
    expect(factsIn(applied.next)).toMatchObject({ helpful: 1, counted_sessions: ['sesn_1'] });
    expect(applied.next.get(path)).toContain('2. Or with pnpm');
    expect(report.playbook_uses).toMatchObject([{ state: 'counted' }]);
  });

  test('keeps the verdicts as evidence, however much a revision rests on beside them', () => {
    const move = anOperation('c0001', { op: 'revise', path, text: body, removed: [] });
    const counts = new Counts(storeOf(), [{ ...move, source: 'counts' }]);
    const many = Array.from({ length: 20 }, (_, n) => someEvidence({ event_id: `sevt_m${n}` }));
    const { evidence } = counts.within({ ...move, change_id: 'c0002', evidence: many });
    expect(evidence).toHaveLength(20);
    expect(evidence.at(-1)).toEqual(move.evidence[0]);
  });

  test('leaves a copy from another store a copy, whatever it adds to it', async () => {
    const origin = { memory_store_id: 'memstore_2', playbook_id: 'build' };
    const copy = storeOf({ scope: 'shared', origin });
    const { applied } = await dream(sessions, copy, revising);
    expect(applied.next.get(path)).toContain('2. Or with pnpm');
    expect(factsIn(applied.next)).toMatchObject({ scope: 'shared', origin });
    expect(copyOf(path, applied.next.get(path) ?? '', 'memstore_1')).toBeUndefined();
  });

  test('moves them all the same when the revision is vetoed', async () => {
    const vetoed: Mind = { ...revising, verdict: () => ({ verdict: 'veto', reason: 'No.' }) };
    const { applied, report } = await dream(sessions, storeOf(), vetoed, [useOf('success')]);
    expect(report.dropped_counts).toMatchObject({ vetoed: 1 });
    expect(report.operations).toMatchObject([{ change_id: 'c0002', source: 'counts' }]);
    expect(factsIn(applied.next)).toMatchObject({ helpful: 1 });
    expect(applied.next.get(path)).not.toContain('pnpm');
  });

  test('retires a playbook that keeps failing, whatever the model makes of it', async () => {
    const failing = storeOf({ harmful: 2 });
    const { applied, report } = await dream(sessions, failing, revising, [useOf('failure')]);
    expect(applied.next.has(path)).toBe(false);
    expect(report.operations).toMatchObject([{ op: 'retire', source: 'counts' }]);
    expect(report.playbook_uses).toMatchObject([{ state: 'counted' }]);
  });

  test('counts nothing twice, and leaves what was written by hand after the session', async () => {
    const again = await dream(sessions, storeOf({ counted_sessions: ['sesn_1'] }), {}, [
      useOf('success'),
    ]);
    expect(again.report.operations).toEqual([]);
    expect(again.report.playbook_uses).toMatchObject([{ state: 'counted_before' }]);
    const [memory] = storeOf().memories;
    const edited = aSnapshot({
      ...memory,
      ...aMemory(path, memory?.text ?? ''),
      by_hand: true,
      updated_at: '2026-11-21T00:00:00.000Z',
    });
    const late = await dream(sessions, edited, {}, [useOf('success')]);
    expect(late.report.dropped_counts).toMatchObject({ hand_edited: 1 });
    expect(late.report.playbook_uses).toMatchObject([{ state: 'dropped' }]);
  });

  test('leaves a private playbook with its agent, and merges none of two agents', async () => {
    const other = { ...facts.learned_from, agent_id: 'agent_2' };
    const { applied } = await dream(sessions, storeOf({ learned_from: other }), revising);
    // The lesson is of agent_1's session.
    expect(factsIn(applied.next)?.learned_from).toEqual(other);
    const two = aSnapshot(
      ...storeOf().memories,
      aMemory(
        '/playbooks/b.md',
        renderPlaybook({ facts: { ...facts, id: 'b', learned_from: other }, body }),
      ),
    );
    const merging: Mind = {
      lessons,
      operations: () => [
        {
          op: 'merge',
          path,
          paths: [path, '/playbooks/b.md'],
          text: body,
          removed: [],
          reason: 'The same.',
          lessons: ['L1'],
        },
      ],
    };
    const { report } = await dream(sessions, two, merging);
    // Nor by code, to which their words are the same.
    expect(report.operations).toEqual([]);
  });
});

test('NEW is the day of the signs', () => {
  expect(NEW.slice(0, 10)).toBe(READ.slice(0, 10));
});
