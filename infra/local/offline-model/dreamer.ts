import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import { operationsIn } from './consolidating.ts';
import type { Conversation } from './conversation.ts';
import { answersIn, marksIn, questionsIn, verdictsIn } from './examining.ts';
import { lessonsIn } from './reflecting.ts';

/** What a dream asks for, by the title of the answer's schema. */
const stages: Readonly<Record<string, (asked: string) => object>> = {
  lessons: (asked) => ({ lessons: lessonsIn(asked) }),
  operations: (asked) => ({ operations: operationsIn(asked) }),
  verdicts: (asked) => ({ verdicts: verdictsIn(asked) }),
  questions: (asked) => ({ questions: questionsIn(asked) }),
  answers: (asked) => ({ answers: answersIn(asked) }),
  marks: (asked) => ({ marks: marksIn(asked) }),
};

/**
 * Dreams by rules: it knows nothing but the words that it is shown, so what a dream with it comes to
 * is what the sessions have said. The rules are those of no particular work.
 */
export const dreamer = {
  wants: ({ format }: Conversation): boolean =>
    format !== undefined && Object.hasOwn(stages, format),
  answer: ({ asked, format = '' }: Conversation): ContentBlock[] => {
    const text = JSON.stringify(stages[format]?.(asked) ?? {});
    return [{ type: 'text', text, citations: null }];
  },
};
