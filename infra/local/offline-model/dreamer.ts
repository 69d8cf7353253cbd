import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import { operationsIn } from './consolidating.ts';
import type { Conversation } from './conversation.ts';
import { answersIn, marksIn, questionsIn, verdictOn } from './examining.ts';
import { lessonsIn } from './reflecting.ts';

/** What a dream asks for, by the tool that it wants called. */
const stages: Readonly<Record<string, (asked: string) => object>> = {
  submit_lessons: (asked) => ({ lessons: lessonsIn(asked) }),
  submit_operations: (asked) => ({ operations: operationsIn(asked) }),
  submit_verdict: verdictOn,
  submit_questions: (asked) => ({ questions: questionsIn(asked) }),
  submit_answers: (asked) => ({ answers: answersIn(asked) }),
  submit_marks: (asked) => ({ marks: marksIn(asked) }),
};

/**
 * Dreams by rules: it knows nothing but the words that it is shown, so what a dream with it comes to
 * is what the sessions have said. The rules are those of no particular work.
 */
export const dreamer = {
  // A grader has a tool to read with as well.
  wants: ({ tools }: Conversation): boolean =>
    tools.size === 1 && [...tools].every((name) => Object.hasOwn(stages, name)),
  answer: ({ asked, tools }: Conversation): ContentBlock[] =>
    [...tools].map((name) => call(name, stages[name]?.(asked) ?? {})),
};

let calls = 0;

function call(name: string, input: object): ContentBlock {
  calls += 1;
  const id = `toolu_dreamer${calls}`;
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}
