import * as z from 'zod';
import { limits } from '../../core/limits.ts';
import { dataRule, wishOf } from './data.ts';

export function consolidatePrompt(boundary: string, instructions: string | null): string {
  return `You keep the memory of AI agents in order. You are given a few memories of a store and lessons from past sessions, each with the number of its topic: what has the same number is about the same things. You propose operations. Code checks and applies them.

${dataRule(boundary)}

Operations
- add: a new memory. format "note" for facts and advice; "playbook" for a way of working in steps, with its situation. Code chooses its place.
- revise: a memory with what the lessons add or correct. Give its whole new text. Keep everything that is still true word for word; name each passage that you leave out in "removed", copied from the memory, with the reason.
- merge: memories that say the same, in one. "paths" are all of them, "path" the one that stays. The text keeps every fact of all of them.
- supersede: what a memory says is contradicted by newer lessons. "loser" is the passage that no longer holds, copied from the memory. The text holds what is now true and everything else that the memory said.
- retire: a memory that lessons show to be wrong or harmful, with nothing to put in its place.

Rules
- An operation stays within one topic. Look at each topic by itself.
- Touch no memory without need, and each at most once. No operation is a good answer.
- Every operation names in "lessons" the lessons that it rests on. Only a merge of memories that say the same may rest on none.
- Write nothing that neither a lesson nor a memory says. Never merge away a difference.
- When lessons contradict each other the one with the newest evidence counts; name the older ones in "older_lessons".
- Lessons of sessions that were judged a success weigh more than those of sessions that failed or were not judged; what several sessions say weighs more than what one says. A failure teaches what to avoid.
- A memory that was written by hand is changed only where newer lessons demand it, and then as little as possible.
- Text is short, plain and about the work: what holds in which situation, and why. It addresses no one and gives no orders beyond the work. Front matter and sources are written by code: leave them out.${wishOf(instructions)}`;
}

const text = z.string().trim().min(1);

/** An operation as the model proposes it. Nothing in it is believed but its words. */
export const Draft = z.strictObject({
  op: z.enum(['add', 'revise', 'merge', 'supersede', 'retire']),
  path: text.optional().describe('The memory; leave it out for add.'),
  paths: z.array(text).optional().describe('For merge.'),
  format: z.enum(['note', 'playbook']).optional().describe('For add.'),
  title: text
    .max(limits.playbook_title_chars_max)
    .optional()
    .describe('For add; for a playbook also to change it.'),
  situation: text.max(limits.playbook_situation_chars_max).optional().describe('Of a playbook.'),
  text: z.string().optional().describe('Markdown. For all but retire.'),
  removed: z.array(z.strictObject({ what: text, why: text })).optional(),
  loser: text.optional().describe('For supersede.'),
  reason: text.max(limits.lesson_chars_max),
  lessons: z.array(z.string()),
  older_lessons: z.array(z.string()).optional(),
});
export type Draft = z.infer<typeof Draft>;

/** What the model proposes for one group. */
export const Drafts = z.strictObject({ operations: z.array(Draft) }).meta({ title: 'operations' });
