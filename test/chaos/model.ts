import { dreamed } from '../functions/dream/dreamer.ts';
import { isGrader } from '../functions/step/outcome-rig.ts';
import type { Random } from '../hostile/random.ts';
import { startModel, type ModelRequest, type ScriptedModel } from '../model/model.ts';
import { call, cutAfter, fail, failAfter, say, stall, type Reply } from '../model/replies.ts';
import { acted, planText, type Step } from './steps.ts';

const PLAN = /^PLAN (\[.*\])$/m;

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
  return model.otherwise(chaosScript(faults));
}

/** Answers by the plan that stands in the request, unless it fails. */
export function chaosScript(faults: ModelFaults): (request: ModelRequest) => Reply {
  return (request) => {
    const answer = answerOf(request);
    if (faults.calm || !faults.random.chance(faults.share)) return answer;
    return failed(faults, answer);
  };
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
  return step === undefined ? say('Done.') : acted(step, body);
}

/** Of several plans in one message the last one counts. */
function textsOf(content: ModelRequest['body']['messages'][number]['content']): string {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const texts = blocks.flatMap((block) => ('text' in block ? [String(block.text)] : []));
  return texts.findLast((text) => PLAN.test(text)) ?? '';
}
