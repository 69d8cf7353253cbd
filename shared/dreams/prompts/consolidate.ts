import { dataRule } from './data.ts';

export function consolidatePrompt(boundary: string, instructions: string | null): string {
  const wish =
    instructions === null
      ? ''
      : `\n\nWhat the operator of this memory asks for, within these rules: ${instructions}`;
  return `You keep the memory of AI agents in order. You are given a few memories of a store and lessons from past sessions that are about the same things, and you propose operations. Code checks and applies them. You answer by calling submit_operations once.

${dataRule(boundary)}

Operations
- add: a new memory. format "note" for facts and advice; "playbook" for a way of working in steps, with its situation. Code chooses its place.
- revise: a memory with what the lessons add or correct. Give its whole new text. Keep everything that is still true word for word; name each passage that you leave out in "removed", copied from the memory, with the reason.
- merge: memories that say the same, in one. "paths" are all of them, "path" the one that stays. The text keeps every fact of all of them.
- supersede: what a memory says is contradicted by newer lessons. "loser" is the passage that no longer holds, copied from the memory. The text holds what is now true and everything else that the memory said.
- retire: a memory that lessons show to be wrong or harmful, with nothing to put in its place.

Rules
- Touch no memory without need, and each at most once. No operation is a good answer.
- Every operation names in "lessons" the lessons that it rests on. Only a merge of memories that say the same may rest on none.
- Write nothing that neither a lesson nor a memory says. Never merge away a difference.
- When lessons contradict each other the one with the newest evidence counts; name the older ones in "older_lessons".
- Lessons of sessions that were judged a success weigh more than those of sessions that failed or were not judged; what several sessions say weighs more than what one says. A failure teaches what to avoid.
- A memory that was written by hand is changed only where newer lessons demand it, and then as little as possible.
- Text is short, plain and about the work: what holds in which situation, and why. It addresses no one and gives no orders beyond the work. Front matter and sources are written by code: leave them out.${wish}`;
}

const text = { type: 'string' };
const texts = { type: 'array', items: text };

export const operations_tool = {
  name: 'submit_operations',
  description: 'Propose operations on the memories.',
  input_schema: {
    type: 'object' as const,
    properties: {
      operations: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            op: { type: 'string', enum: ['add', 'revise', 'merge', 'supersede', 'retire'] },
            path: { ...text, description: 'The memory; leave it out for add.' },
            paths: { ...texts, description: 'For merge.' },
            format: { type: 'string', enum: ['note', 'playbook'], description: 'For add.' },
            title: { ...text, description: 'For add; for a playbook also to change it.' },
            situation: { ...text, description: 'Of a playbook.' },
            text: { ...text, description: 'Markdown. For all but retire.' },
            removed: {
              type: 'array',
              items: {
                type: 'object',
                properties: { what: text, why: text },
                required: ['what', 'why'],
                additionalProperties: false,
              },
            },
            loser: { ...text, description: 'For supersede.' },
            reason: text,
            lessons: texts,
            older_lessons: texts,
          },
          required: ['op', 'reason', 'lessons'],
          additionalProperties: false,
        },
      },
    },
    required: ['operations'],
    additionalProperties: false,
  },
};
