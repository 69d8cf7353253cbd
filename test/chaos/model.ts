import { dreamed } from '../functions/dream/dreamer.ts';
import { isGrader } from '../functions/step/outcome-rig.ts';
import type { Random } from '../hostile/random.ts';
import { startModel, type ModelRequest, type ScriptedModel } from '../model/model.ts';
import {
  call,
  cutAfter,
  fail,
  failAfter,
  reply,
  say,
  slowly,
  stall,
  type Reply,
} from '../model/replies.ts';

/**
 * What a model is to do for one message, step by step: it stands in the message itself, so the same
 * request always gets the same answer, whoever died in between.
 */
export type Step =
  /** Append a line to a file, by a command. */
  | { readonly do: 'bash'; readonly file: string; readonly line: string }
  /** Write a file; its user is asked. */
  | { readonly do: 'ask'; readonly file: string; readonly line: string }
  | { readonly do: 'lookup'; readonly line: string }
  | { readonly do: 'slow' }
  /** Start agents, each with a plan of its own. */
  | { readonly do: 'start'; readonly plans: readonly (readonly Step[])[] }
  /** Two commands at once. */
  | { readonly do: 'pair'; readonly lines: readonly [Step, Step] };

const PLAN = /^PLAN (\[.*\])$/m;

export const planText = (steps: readonly Step[]): string => `PLAN ${JSON.stringify(steps)}`;

const REPORT = '/mnt/session/outputs/report.md';
export const RUBRIC = '- The report has a source';
/** The task of an outcome: the first report is not good enough, the second is. */
export const outcomeText = (name: string): string =>
  planText([
    { do: 'bash', file: REPORT, line: `Draft ${name}` },
    { do: 'slow' },
    { do: 'bash', file: REPORT, line: `Source: ${name}` },
  ]);

/** Shares of requests that fail, and how. */
export interface ModelFaults {
  readonly random: Random;
  readonly share: number;
  /** Whether some answers never come: it takes 90 s until that is noticed. */
  readonly long_stalls: boolean;
  /** Set when nothing is to fail any more. */
  calm: boolean;
  readonly counts: Record<string, number>;
}

export async function startChaosModel(faults: ModelFaults): Promise<ScriptedModel> {
  const model = await startModel({ forget: true });
  model.otherwise((request) => {
    const answer = answerOf(request);
    if (faults.calm || !faults.random.chance(faults.share)) return answer;
    return failed(faults, answer);
  });
  return model;
}

function answerOf(request: ModelRequest): Reply {
  return dreamed(request) ?? (isGrader(request) ? graded(request) : planned(request));
}

function failed({ random, long_stalls, counts }: ModelFaults, answer: Reply): Reply {
  const kinds: readonly (readonly [string, () => Reply])[] = [
    ['429', () => fail(429, undefined, { 'retry-after': '1' })],
    ['529', () => fail(529)],
    ['500', () => fail(500)],
    ['cut', () => cutAfter(1 + random.int(4), answer)],
    ['error in the stream', () => failAfter(1 + random.int(4), 'overloaded_error', answer)],
    ['late', () => stall(500 + random.int(4_000), answer)],
    ...(long_stalls && random.chance(0.2) ? [['never', () => stall()] as const] : []),
  ];
  const [kind, made] = random.of(kinds);
  counts[kind] = (counts[kind] ?? 0) + 1;
  return made();
}

function graded({ body }: ModelRequest): Reply {
  if (!body.messages.some(({ role }) => role === 'assistant'))
    return call('read', { path: REPORT });
  const source = /Source: \w+/.exec(JSON.stringify(body.messages.at(-1)));
  const evidence = source === null ? [] : [{ path: REPORT, quote: source[0] }];
  const verdict = source === null ? 'not_met' : 'met';
  return call('submit_verdict', {
    criteria: [{ id: 'c1', verdict, reason: 'As to the source.', evidence }],
  });
}

/** The next step of the plan that was given last, by what has been said since it was first given. */
function planned({ body }: ModelRequest): Reply {
  const texts = body.messages.map(({ role, content }) => (role === 'user' ? textsOf(content) : ''));
  const [line, json = '[]'] = texts.flatMap((text) => PLAN.exec(text) ?? []).slice(-2);
  if (line === undefined) return say('Noted.');
  const at = texts.findIndex((text) => text.includes(line));
  const said = body.messages.slice(at).filter(({ role }) => role === 'assistant').length;
  const step = (JSON.parse(json) as Step[])[said];
  return step === undefined ? say('Done.') : acted(step);
}

/** Of several plans in one message the last one counts. */
function textsOf(content: ModelRequest['body']['messages'][number]['content']): string {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const texts = blocks.flatMap((block) => ('text' in block ? [String(block.text)] : []));
  return texts.findLast((text) => PLAN.test(text)) ?? '';
}

function acted(step: Step): Reply {
  switch (step.do) {
    case 'bash':
      return call('bash', { command: `echo '${step.line}' >> ${step.file}` });
    case 'ask':
      return reply(say('May I?'), call('write', { file_path: step.file, content: step.line }));
    case 'lookup':
      return call('lookup', { what: step.line });
    case 'slow':
      return slowly(30, say('Let me think about this for quite a while before I go on with it.'));
    case 'start':
      return reply(
        ...step.plans.map((plan) =>
          call('start_agent', { agent: 'Worker', message: planText(plan) }),
        ),
      );
    case 'pair':
      return reply(...step.lines.map(acted));
  }
}
