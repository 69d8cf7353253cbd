import type { SessionEvent } from '#shared/events/event.ts';
import { applyOperations } from '#shared/dreams/apply-operations.ts';
import { consolidate } from '#shared/dreams/consolidate.ts';
import { gate } from '#shared/dreams/gate.ts';
import { linesOf, speakerOf, textOfEvent } from '#shared/dreams/lines.ts';
import { piecesOf } from '#shared/dreams/pieces.ts';
import { reflect } from '#shared/dreams/reflect.ts';
import { Repeats } from '#shared/dreams/repeats.ts';
import { reportOf } from '#shared/dreams/report-of.ts';
import { factsOf } from '#shared/dreams/session-facts.ts';
import type { Snapshot } from '#shared/dreams/snapshot.ts';
import { countUses, type JudgedUse } from '#shared/playbooks/count-uses.ts';
import type { ThinkPorts } from '#shared/dreams/thinking.ts';
import { verify } from '#shared/dreams/verify.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import { answer, say, type Reply } from '../../model/replies.ts';
import { modelAt } from '../models/samples.ts';
import { NEW } from './samples.ts';

/** What a scripted mind answers to each kind of question; a text is said as it stands. */
export interface Mind {
  readonly lessons?: (content: string) => readonly object[] | string;
  readonly operations?: (content: string) => readonly object[] | string;
  readonly verdict?: (content: string) => object | string;
  /** Of the question's place and the memories that it is answered from. */
  readonly answer?: (question: string, memories: string) => string;
}

export function anEvent(type: string, fields: object, id = 'sevt_1', at = NEW): SessionEvent {
  return { id, type, processed_at: at, ...fields } as unknown as SessionEvent;
}

export function userSays(text: string, id = 'sevt_1', at = NEW): SessionEvent {
  return anEvent('user.message', { content: [{ type: 'text', text }] }, id, at);
}

export function toolSays(text: string, id = 'sevt_1'): SessionEvent {
  const content = [{ type: 'text', text }];
  return anEvent('agent.tool_result', { tool_use_id: 'sevt_0', content, is_error: false }, id);
}

export function aLesson(quote: string, over: object = {}) {
  return {
    kind: 'success',
    situation: 'Building the harvest service.',
    advice: 'Build it with pnpm run harvest.',
    why: 'The user said so.',
    evidence: [{ event_id: 'sevt_1', quote }],
    ...over,
  };
}

type Sessions = Readonly<Record<string, readonly SessionEvent[]>>;

/** A whole dream, stage after stage, with a model over HTTP that a test scripts. */
export async function dream(
  sessions: Sessions,
  snapshot: Snapshot,
  mind: Mind,
  uses: readonly JudgedUse[] = [],
) {
  const model = await startModel({ window_tokens: 100_000_000 });
  model.otherwise(({ body }) => answerOf(mind, body));
  const ports: ThinkPorts = {
    model: modelAt(model.url),
    prices: {},
    config: { id: 'claude-opus-5', effort: { type: 'high' }, speed: 'standard' },
    thread_id: 'sthr_1',
    boundary: 'k3v9',
  };
  try {
    return { ...(await stages(ports, sessions, { snapshot, uses })), model };
  } finally {
    await model.close();
  }
}

async function stages(
  ports: ThinkPorts,
  sessions: Sessions,
  { snapshot, uses }: { readonly snapshot: Snapshot; readonly uses: readonly JudgedUse[] },
) {
  const { signal } = new AbortController();
  const reflections = [];
  for (const [session_id, events] of Object.entries(sessions)) {
    const facts = factsOf(
      {
        session_id,
        agent_id: 'agent_1',
        agent_version: 3,
        model_id: 'claude-opus-5',
        created_at: NEW,
        cost_microcents: 1_000_000,
      },
      events,
    );
    const lines = events.flatMap((event) => linesOf('sthr_1', event));
    for (const piece of piecesOf(facts, lines)) {
      reflections.push(await reflect(ports, { piece, snapshot }, signal));
    }
  }
  const candidates = reflections.flatMap((each) => each.candidates);
  const decided = countUses(snapshot, uses);
  const found = { snapshot, candidates, decided, instructions: null };
  const proposed = await consolidate(ports, found, signal);
  const quoted = proposed.operations.flatMap(({ evidence }) => evidence);
  const repeats = new Map(
    Object.entries(sessions).map(([session_id, events]) => {
      const heard = new Repeats(quoted.filter((each) => each.session_id === session_id));
      for (const event of events) heard.hear(speakerOf(event), textOfEvent(event));
      return [session_id, heard];
    }),
  );
  const verified = await verify(
    ports,
    {
      snapshot,
      repeated: (evidence) => repeats.get(evidence.session_id)?.of(evidence),
      operations: proposed.operations,
      counts: proposed.counts,
      eventText: async (session_id, event_id) => {
        const event = sessions[session_id]?.find(({ id }) => id === event_id);
        return await Promise.resolve(event === undefined ? undefined : textOfEvent(event));
      },
    },
    signal,
  );
  const { operations } = verified;
  const applied = applyOperations(snapshot, operations);
  const gated = await gate(ports, { snapshot, next: applied.next, operations, candidates }, signal);
  const dropped = [
    ...reflections.flatMap((each) => each.dropped),
    ...proposed.dropped,
    ...verified.dropped,
  ];
  const report = reportOf({
    dream_id: 'drm_1',
    dream_prompt_version: 'v',
    model_id: 'claude-opus-5',
    session_ids: Object.keys(sessions),
    sessions: Object.keys(sessions).map((session_id) => ({ session_id, title: null })),
    candidates_count: candidates.length,
    dropped,
    skipped: reflections.flatMap(({ skipped }) => skipped ?? []),
    gate: gated.gate,
    spending: {
      input_tokens: 1,
      output_tokens: 1,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      cost_microcents: 80_000,
      sessions_cost_microcents: 1_000_000,
    },
    uses,
    snapshot,
    operations,
    applied,
  });
  return { report, applied, candidates };
}

type Body = ScriptedModel['requests'][number]['body'];

function answerOf(mind: Mind, body: Body): Reply {
  const text = textIn(body);
  const title = String(body.output_config?.format?.schema['title']);
  const said = answers[title]?.(mind, text) ?? { marks: [] };
  return typeof said === 'string' ? say(said) : answer(said);
}

type Answers = Readonly<Record<string, (mind: Mind, text: string) => object | string>>;

/** A list under its name, or words in its place. */
function named(name: string, value: readonly object[] | string): object | string {
  return typeof value === 'string' ? value : { [name]: value };
}

const answers: Answers = {
  lessons: ({ lessons }, text) => named('lessons', lessons?.(text) ?? []),
  operations: ({ operations }, text) => named('operations', operations?.(text) ?? []),
  verdicts: ({ verdict }, text) => {
    const changes = inTag<{ n: number }>(text, 'changes');
    const said = changes.map(({ n }) => ({ n, verdict: 'keep', reason: 'It holds.' }));
    const other = verdict?.(text);
    if (typeof other !== 'object') return other ?? { verdicts: said };
    return { verdicts: said.map((each) => ({ ...each, ...other })) };
  },
  questions: (_, text) => ({
    questions: inTag<{ n: number; text: string }>(text, 'sources').map(({ n, text: source }) => ({
      n,
      question: source,
      expected: 'yes',
    })),
  }),
  answers: ({ answer }, text) => ({
    answers: inTag<{ n: number; question: string; memories: unknown }>(text, 'questions').map(
      ({ n, question, memories }) => ({
        n,
        answer: answer?.(question, JSON.stringify(memories)) ?? 'yes',
      }),
    ),
  }),
};

function textIn(body: Body): string {
  const [first] = body.messages;
  if (typeof first?.content === 'string') return first.content;
  const blocks = first?.content ?? [];
  return blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function inTag<Item>(text: string, tag: string): Item[] {
  const [, json = '[]'] =
    new RegExp(`<${tag}-k3v9>\\n([\\s\\S]*)\\n</${tag}-k3v9>`).exec(text) ?? [];
  return JSON.parse(json) as Item[];
}
