import type { SessionEvent } from '../events/event.ts';

type Defined = Extract<SessionEvent, { type: 'user.define_outcome' }>;
type Judged = Extract<SessionEvent, { type: 'span.outcome_evaluation_end' }>;

/** What the model that works is told of its outcome. */
export function taskText({ description, rubric }: Defined): string {
  const criteria = rubric.type === 'text' ? rubric.content : '';
  return [
    'Work for this outcome until it is reached. When you end your turn, a grader who sees nothing of this conversation judges the files in /mnt/session/outputs by the rubric; what it finds missing comes back to you.',
    `<outcome>\n${description}\n</outcome>`,
    `<rubric>\n${criteria}\n</rubric>`,
  ].join('\n\n');
}

/** The task's own words in what {@link taskText} has made of it. */
export function descriptionIn(task: string): string {
  return /<outcome>\n([^]*)\n<\/outcome>/.exec(task)?.[1] ?? task;
}

/** What it is told of a verdict that it can still answer to; undefined for all others. */
export function feedbackText({ result, explanation }: Judged): string | undefined {
  if (result === 'needs_revision') {
    return `The grader has judged the files in /mnt/session/outputs; the rubric is not met yet. Revise them.\n\n<verdict>\n${explanation}\n</verdict>`;
  }
  if (result === 'max_iterations_reached') {
    return `The grader has judged the files in /mnt/session/outputs for the last time; the rubric is not met. Do not change them any more: say in a few words what is done and what is missing.\n\n<verdict>\n${explanation}\n</verdict>`;
  }
  return undefined;
}
