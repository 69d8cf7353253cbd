import {
  call,
  costing,
  refuse,
  reply,
  say,
  slowly,
  stopped,
  think,
  type Reply,
} from '../model/replies.ts';
import type { ModelRequest } from '../model/model.ts';

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
  /** A command that takes a while. */
  | { readonly do: 'doze' }
  | { readonly do: 'think'; readonly next: Step }
  | { readonly do: 'say'; readonly text: string }
  /** A sentence that costs fifteen cents. */
  | { readonly do: 'dear' }
  /** What ends a turn otherwise than by its own will. */
  | { readonly do: 'refuse' }
  | { readonly do: 'break off' }
  /** Start agents, each with a plan of its own. */
  | { readonly do: 'start'; readonly plans: readonly (readonly Step[])[] }
  | { readonly do: 'make up'; readonly plan: readonly Step[] }
  /** Tell the agent that was named last, whatever it does at present. */
  | { readonly do: 'tell'; readonly plan: readonly Step[] }
  | { readonly do: 'look around' }
  | { readonly do: 'ask advice' }
  /** Several calls in one message. */
  | { readonly do: 'together'; readonly steps: readonly Step[] };

export const planText = (steps: readonly Step[]): string => `PLAN ${JSON.stringify(steps)}`;

type Body = ModelRequest['body'];
type Acts = {
  readonly [Do in Step['do']]: (step: Extract<Step, { readonly do: Do }>, body: Body) => Reply;
};

/** What the model answers when it comes to a step. */
export function acted(step: Step, body: Body): Reply {
  const act = acts[step.do] as (step: Step, body: Body) => Reply;
  return act(step, body);
}

const acts: Acts = {
  bash: ({ file, line }) => call('bash', { command: `echo '${line}' >> ${file}` }),
  ask: ({ file, line }) => reply(say('May I?'), call('write', { file_path: file, content: line })),
  lookup: ({ line }) => call('lookup', { what: line }),
  slow: () => slowly(30, say('Let me think about this for quite a while before I go on with it.')),
  doze: () => call('bash', { command: 'sleep 0.4' }),
  think: ({ next }, body) => reply(think('What comes next?'), acted(next, body)),
  say: ({ text }) => say(text),
  dear: () => costing({ output_tokens: 10_000 }, say('That was much to say.')),
  refuse: () => refuse('cyber', 'scripted'),
  'break off': () => stopped('max_tokens', say('And then I')),
  together: ({ steps }, body) => reply(...steps.map((one) => acted(one, body))),
  start: ({ plans }) =>
    reply(
      ...plans.map((plan) => call('start_agent', { agent: 'Worker', message: planText(plan) })),
    ),
  'make up': ({ plan }) =>
    call('start_inline_agent', {
      name: 'Made up',
      system: 'You do as you are told.',
      message: planText(plan),
    }),
  tell: ({ plan }, { messages }) =>
    call('send_to_agent', { thread_id: lastThread(messages), message: planText(plan) }),
  'look around': () => call('list_agents'),
  'ask advice': () => call('consult_advisor', { question: planText([{ do: 'slow' }]) }),
};

function lastThread(messages: Body['messages']): string {
  return /.*(sthr_\w+)/.exec(JSON.stringify(messages))?.[1] ?? 'nobody';
}
