import * as z from 'zod';
import type { Audit } from './conversation.ts';
import type { Grading } from './grading.ts';
import { fit_instructions, fit_tool } from './prompts.ts';

const Fit = z.object({ fits: z.boolean(), reason: z.string().default('') });
export type Fit = z.infer<typeof Fit>;

/**
 * A second look at whether a rubric fits its task, by a request of its own without any deliverable:
 * what the agent has written cannot end its outcome. Every answer but a plain no means that it fits.
 *
 * @throws ModelError
 */
export async function fitOf(audit: Audit, grading: Grading, signal: AbortSignal): Promise<Fit> {
  const { description, rubric } = grading;
  // JSON: no text can end the string that it stands in.
  const content = JSON.stringify({ task: description, rubric });
  audit.note('asked', { text: content });
  const request = {
    system: fit_instructions,
    tools: [fit_tool],
    messages: [{ role: 'user' as const, content }],
  };
  const reply = await audit.ask(request, signal);
  const call = reply.content.find((block) => block.type === 'tool_use');
  return Fit.safeParse(call?.input).data ?? { fits: true, reason: 'no answer' };
}
