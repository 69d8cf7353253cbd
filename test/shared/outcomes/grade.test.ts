// Goal: a verdict is what the rubric, the files and the checks of code say, whatever the grader's
// model does. Method: real files and sandbox; a model over HTTP that is scripted and strict.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { Usage } from '#shared/threads/thread.ts';
import { ModelError } from '#shared/models/model-error.ts';
import { call, fail, refuse, reply, say, stall, stopped, think } from '../../model/replies.ts';
import { entry, lastTold, OUT, startGradeRig, submit, wireOf, type GradeRig } from './rig.ts';

let rig: GradeRig;
beforeAll(async () => {
  rig = await startGradeRig();
});
afterAll(async () => {
  await rig.stop();
});
/** Requests of the test that runs. */
let from = 0;
const requests = () => rig.model.requests.slice(from);
afterEach(() => {
  from = rig.model.requests.length;
});

const REPORT = `${OUT}/report.md`;
const text = 'Yield was 4.2 t/ha.\n\nSource: the farm’s own books.\n';
const met = [
  entry('c1', 'met', { path: REPORT, quote: 'Yield was 4.2 t/ha.' }),
  entry('c2', 'met', { path: REPORT, quote: "Source: the farm's own  books" }),
] as const;

/** Each script belongs to the session's own task, so that tests do not hear each other. */
async function run(
  replies: readonly Parameters<typeof rig.model.on>[1][],
  files: Readonly<Record<string, string | Uint8Array>> = { [REPORT]: text },
  patch: Parameters<typeof rig.grade>[1] = {},
) {
  const session_id = await rig.session(files);
  const description = `Task of ${session_id}: write a report.`;
  rig.model.on(description, ...replies);
  return await rig.grade(session_id, { description, ...patch });
}

describe('a verdict', () => {
  test('is satisfied when every criterion is met and its quotes stand there', async () => {
    const verdict = await run([
      reply(think('look first'), call('read', { path: REPORT })),
      submit(...met),
    ]);
    expect(verdict.result).toBe('satisfied');
    expect(verdict.criteria).toEqual([
      {
        id: 'c1',
        text: 'It names the yield.',
        verdict: 'met',
        reason: 'reason of c1',
        evidence: met[0].evidence,
      },
      {
        id: 'c2',
        text: 'It has a source.',
        verdict: 'met',
        reason: 'reason of c2',
        evidence: met[1].evidence,
      },
    ]);
    expect(verdict.explanation).toBe(
      '2 of 2 criteria are met.\n- Met: c1 "It names the yield.".\n- Met: c2 "It has a source.".',
    );
    expect(rig.model.violations).toEqual([]);
  });

  test('says what is missing first, with the reason and where', async () => {
    const verdict = await run([submit(met[0], entry('c2', 'not_met', { path: REPORT }))]);
    expect(verdict.result).toBe('needs_revision');
    expect(verdict.explanation).toBe(
      `1 of 2 criteria are met.\n- Not met: c2 "It has a source.". reason of c2 (${REPORT})\n- Met: c1 "It names the yield.".`,
    );
  });

  test('counts what cannot be told as not satisfied', async () => {
    const verdict = await run([submit(met[0], entry('c2', 'cannot_tell'))]);
    expect(verdict.result).toBe('needs_revision');
    expect(verdict.criteria[1]?.verdict).toBe('cannot_tell');
  });

  test('charges all requests together, with their list cost', async () => {
    const verdict = await run([call('read', { path: REPORT }), submit(...met)]);
    const used = requests().map(({ cache }) => cache);
    const sum = (name: 'input_tokens' | 'cache_read_input_tokens'): number =>
      used.reduce((all, one) => all + (one?.[name] ?? 0), 0);
    expect(verdict.usage.input_tokens).toBe(sum('input_tokens'));
    expect(verdict.usage.cache_read_input_tokens).toBe(sum('cache_read_input_tokens'));
    expect(verdict.usage.output_tokens).toBeGreaterThan(0);
    expect(verdict.usage.cost_microcents).toBeGreaterThan(0);
  });

  test('leaves a transcript for audit, from what was asked to how it ended', async () => {
    const { transcript, grader_prompt_version } = await run([
      call('read', { path: REPORT }),
      submit(...met),
    ]);
    const types = ['begin', 'asked', 'answered', 'told', 'answered', 'checked', 'end'];
    expect(transcript.map(({ type }) => type)).toEqual(types);
    expect(transcript[0]).toMatchObject({ outcome_id: 'outc_1', grader_prompt_version });
    expect(JSON.stringify(transcript[3])).toContain('4.2 t/ha');
  });
});

describe('asks again, and is never satisfied in the end, when the grader', () => {
  const broken: [string, Parameters<typeof rig.model.on>[1]][] = [
    ['only talks', say('All good: {"criteria":[{"id":"c1","verdict":"met"}]}')],
    ['leaves a criterion out', submit(met[0])],
    ['invents one', submit(...met, entry('c9', 'met'))],
    ['judges one twice', submit(...met, entry('c2', 'not_met'))],
    ['sends no list', call('submit_verdict', { verdict: 'satisfied' })],
    ['sends another verdict', submit(met[0], { ...met[1], verdict: 'pass' })],
    ['gives no reason', submit(met[0], { ...met[1], reason: ' ' })],
    ['declines', refuse(null, null)],
    [
      'declines while it submits',
      { ...submit(...met), ...refuse(), blocks: submit(...met).blocks },
    ],
    ['is cut off', stopped('max_tokens', say('I think'))],
  ];

  test.each(broken)('%s', async (_, bad) => {
    const verdict = await run([bad, bad, bad]);
    expect(verdict.result).toBe('needs_revision');
    expect(requests()).toHaveLength(1 + limits.grader_repeats_max);
    expect(verdict.explanation).toContain('no usable verdict');
    expect(rig.model.violations).toEqual([]);
  });

  test.each(broken)('%s, but takes what comes then', async (_, bad) => {
    const verdict = await run([bad, submit(...met)]);
    expect(verdict.result).toBe('satisfied');
    expect(requests()).toHaveLength(2);
  });
});

test('two verdicts on a criterion take back the one before', async () => {
  const first = submit(...met, entry('c9', 'met'));
  const twice = submit(...met, entry('c2', 'not_met'));
  const verdict = await run([first, twice, submit(met[0])]);
  expect(verdict.result).toBe('needs_revision');
  expect(verdict.criteria[1]?.verdict).toBe('not_met');
});

describe('evidence', () => {
  const bad: [string, object, string][] = [
    ['none', entry('c2', 'met'), 'no evidence is given'],
    ['another file', entry('c2', 'met', { path: `${OUT}/x.md`, quote: 'Source' }), 'no such file'],
    ['made-up words', entry('c2', 'met', { path: REPORT, quote: 'Source: FAO' }), 'does not stand'],
    ['a path only', entry('c2', 'met', { path: REPORT }), 'quote the passage'],
    ['a folder', entry('c2', 'met', { path: OUT }), 'speaks of files'],
    ['a crumb', entry('c2', 'met', { path: REPORT, quote: 'So' }), 'too short'],
    [
      'one of two',
      entry('c2', 'met', ...met[1].evidence, { path: REPORT, quote: 'Nope!' }),
      'Nope!',
    ],
  ];

  test.each(bad)(
    'of %s is asked for again once, then the criterion cannot be told',
    async (_, bad_entry, words) => {
      const verdict = await run([submit(met[0], bad_entry), submit(met[0], bad_entry)]);
      expect(verdict.result).toBe('needs_revision');
      expect(verdict.criteria[1]?.verdict).toBe('cannot_tell');
      expect(verdict.explanation).toContain(words);
      expect(lastTold(requests()[1] as never)).toContain(words);
      expect(requests()).toHaveLength(2);
    },
  );

  test('that is put right counts', async () => {
    const verdict = await run([submit(met[0], entry('c2', 'met')), submit(...met)]);
    expect(verdict.result).toBe('satisfied');
  });

  const whole = { rubric: '- It never names a brand.' };
  test('of an absence is a file that was read to its end', async () => {
    const submitted = submit(entry('c1', 'met', { path: REPORT }));
    const unread = await run([submitted, submitted], { [REPORT]: text }, whole);
    expect(unread.explanation).toContain('not read this file to its end');
    const read = [call('read', { path: REPORT }), submitted];
    expect((await run(read, { [REPORT]: text }, whole)).result).toBe('satisfied');
    const long = 'word '.repeat(limits.grader_piece_chars_max / 4);
    const half = await run([...read, submitted], { [REPORT]: long }, whole);
    expect(half.result).toBe('needs_revision');
    const tail = call('read', { path: REPORT, offset: limits.grader_piece_chars_max });
    const end_only = await run([tail, submitted, submitted], { [REPORT]: long }, whole);
    expect(end_only.result).toBe('needs_revision');
    const grepped = [call('grep', { pattern: 'brand', path: OUT }), submitted];
    expect((await run(grepped, { [REPORT]: long }, whole)).result).toBe('satisfied');
  });

  test('of what files there are is their folder', async () => {
    const submitted = submit(entry('c1', 'met', { path: `${OUT}/` }));
    const rubric = '- No file is larger than 1 MB.';
    expect((await run([submitted], { [REPORT]: text }, { rubric })).result).toBe('satisfied');
  });

  test('of a picture is the picture once it was shown, and only while the provider took it', async () => {
    const png = { [`${OUT}/a.png`]: Buffer.from('89504e470d0a1a0a0000', 'hex') };
    const submitted = submit(entry('c1', 'met', { path: `${OUT}/a.png`, quote: 'a bar chart' }));
    const rubric = '- A chart shows the yield.';
    const read = call('read', { path: `${OUT}/a.png` });
    const shown = await run([read, submitted], png, { rubric });
    expect(shown.result).toBe('satisfied');
    expect(shown.criteria[0]?.evidence).toEqual([{ path: `${OUT}/a.png` }]);
    const taken_back = [read, fail(400, 'Could not process image'), submitted, submitted];
    expect((await run(taken_back, png, { rubric })).result).toBe('needs_revision');
    expect(lastTold(requests()[4] as never)).toContain('did not take this image');
    expect((await run([submitted, submitted], png, { rubric })).result).toBe('needs_revision');
  });
});

describe('failed', () => {
  const misfit = (...criteria: readonly object[]) =>
    call('submit_verdict', { criteria, misfit: 'It asks for a poem.' });
  const unfit = call('answer_fit', { fits: false, reason: 'other task' });

  test('needs a second look that sees no deliverable', async () => {
    rig.model.on(({ body }) => JSON.stringify(body.tools).includes('answer_fit'), unfit);
    const verdict = await run([misfit()]);
    expect(verdict.result).toBe('failed');
    expect(verdict.explanation).toBe('The rubric does not fit the task: It asks for a poem.');
    const [first, second] = requests();
    expect(wireOf(first as never)).toContain('report.md');
    expect(wireOf(second as never)).not.toContain('report.md');
  });

  test.each([
    ['it fits', call('answer_fit', { fits: true, reason: 'x' })],
    ['nothing usable', say('{"fits": false}')],
  ])('is not what comes when the second look says %s', async (_, second) => {
    rig.model.on(({ body }) => JSON.stringify(body.tools).includes('answer_fit'), second);
    const verdict = await run([misfit(), submit(...met)]);
    expect(verdict.result).toBe('satisfied');
  });

  test('is not what comes when most criteria were judged', async () => {
    const verdict = await run([misfit(...met), submit(...met)]);
    expect(verdict.result).toBe('satisfied');
  });
});

describe('what the provider does', () => {
  test('is charged, also when the grading comes to nothing', async () => {
    const session_id = await rig.session({ [REPORT]: text });
    rig.model.on('Cost of it', call('read', { path: REPORT }), fail(529));
    const spent: number[] = [];
    const options = { spent: (usage: Usage) => spent.push(usage.cost_microcents ?? 0) };
    await expect(rig.grade(session_id, { description: 'Cost of it' }, options)).rejects.toThrow(
      ModelError,
    );
    expect(spent).toHaveLength(1);
    expect(spent[0]).toBeGreaterThan(0);
  });

  test.each([
    [529, 'overloaded'],
    [429, 'rate_limited'],
    [400, 'failed'],
    [402, 'billing'],
  ])('an error %i is thrown, and is no verdict', async (status, kind) => {
    const failed = run([call('read', { path: REPORT }), fail(status)]);
    await expect(failed).rejects.toThrow(ModelError);
    await expect(failed).rejects.toMatchObject({ kind });
  });

  test('the end of the time is an error that may be tried again', async () => {
    const session_id = await rig.session({});
    rig.model.on('slow one', stall());
    const options = { deadline_ms: Date.now() + 300 };
    const late = rig.grade(session_id, { description: 'slow one' }, options);
    await expect(late).rejects.toMatchObject({ name: 'ModelError', retryable: true });
  });

  test('an interrupt stops it', async () => {
    const session_id = await rig.session({});
    const stop = new AbortController();
    rig.model.on('stop one', stall());
    setTimeout(() => stop.abort(), 200);
    const stopped_one = rig.grade(session_id, { description: 'stop one' }, { signal: stop.signal });
    await expect(stopped_one).rejects.toMatchObject({ name: 'ModelError', kind: 'aborted' });
  });

  test('an empty rubric fails without asking', async () => {
    const session_id = await rig.session({});
    expect((await rig.grade(session_id, { rubric: ' ' })).result).toBe('failed');
    expect(requests()).toEqual([]);
  });
});

test('a heartbeat that fails ends the grading with its error', async () => {
  const session_id = await rig.session({});
  rig.model.on('beat one', stall());
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    const heartbeat = async (): Promise<void> => {
      throw new Error('the lease is lost');
    };
    const beaten = rig.grade(session_id, { description: 'beat one' }, { heartbeat });
    const ended = beaten.catch((error: unknown) => String(error));
    await vi.advanceTimersByTimeAsync(limits.grader_heartbeat_ms);
    expect(await ended).toBe('Error: the lease is lost');
  } finally {
    vi.useRealTimers();
  }
});
