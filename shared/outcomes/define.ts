import { sourceKind } from '../api-files/source-kind.ts';
import { fileBytes } from '../api-files/file-content.ts';
import { readFile } from '../api-files/read-file.ts';
import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import { parseId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { hasAtMost } from '../core/text.ts';
import type { Ports } from '../core/ports.ts';
import { store } from '../core/stored.ts';
import type { Write } from '../core/table.ts';
import { sessionPrefix } from '../sessions/session.ts';
import {
  outcomeKey,
  type OpenOutcome,
  type OutcomeEvaluation,
  type OutcomeRow,
} from './outcome.ts';

/** An outcome as a client defines it, with its rubric still by name or already as text. */
export interface OutcomeParams {
  readonly type: 'user.define_outcome';
  readonly description: string;
  readonly rubric:
    | { readonly type: 'text'; readonly content: string }
    | { readonly type: 'file'; readonly file_id: string };
  readonly max_iterations: number;
}

/** The same with its text, its ids and its event's. */
export interface DefinedOutcome {
  readonly id: string;
  readonly type: 'user.define_outcome';
  readonly outcome_id: string;
  readonly description: string;
  readonly rubric: { readonly type: 'text'; readonly content: string };
  readonly max_iterations: number;
}

/**
 * Read the rubrics that are files, before anything is decided: what the outcome was judged by must
 * stay when the file goes.
 *
 * @param field Of the request, for messages.
 * @throws Fault `missing`, `invalid` when a file is not text or too long
 */
export async function withRubrics<Event extends { readonly type: string }>(
  ports: Ports,
  call: Call,
  events: readonly Event[],
  field: string,
): Promise<Event[]> {
  return await Promise.all(
    events.map(async (event) => {
      if (event.type !== 'user.define_outcome') return event;
      const { rubric } = event as unknown as OutcomeParams;
      if (rubric.type === 'text') return event;
      const content = await rubricText(ports, call, rubric.file_id, field);
      return { ...event, rubric: { type: 'text', content } };
    }),
  );
}

async function rubricText(
  ports: Ports,
  call: Call,
  file_id: string,
  field: string,
): Promise<string> {
  const file = await readFile(ports, call, parseId('file', file_id));
  // A character has four bytes at most: nothing longer is read.
  const is_text = sourceKind(file.mime_type) === 'text';
  if (is_text && file.size_bytes <= limits.rubric_chars_max * 4) {
    const text = (await fileBytes(ports, file)).toString('utf8');
    if (text.trim() !== '' && hasAtMost(limits.rubric_chars_max, text)) return text;
  }
  throw new Fault(
    'invalid',
    `${field}: rubric file ${file_id} must be text of 1 to ${limits.rubric_chars_max} characters.`,
  );
}

/** What a defined outcome makes of its thread's head. */
export function openOutcome({ outcome_id, max_iterations }: DefinedOutcome): OpenOutcome {
  return { outcome_id, stage: 'pending', iteration: 0, max_iterations, evaluation_start_id: null };
}

/** As a session shows it before anybody has looked at it. */
export function pendingOutcome({ outcome_id, description }: DefinedOutcome): OutcomeEvaluation {
  return {
    type: 'outcome_evaluation',
    outcome_id,
    description,
    iteration: 0,
    result: 'pending',
    explanation: null,
    completed_at: null,
  };
}

/** The row of a new outcome, for the transaction that logs its definition. */
export async function outcomeWrite(
  { blobs }: Pick<Ports, 'blobs'>,
  session_id: string,
  outcome: DefinedOutcome,
  defined_at: string,
): Promise<Write> {
  const { outcome_id, id, description, rubric, max_iterations } = outcome;
  const key = `${sessionPrefix(session_id)}outcomes/${outcome_id}.json`;
  const put: OutcomeRow = {
    ...outcomeKey(session_id, outcome_id),
    schema: 1,
    outcome_id,
    session_id,
    event_id: id,
    definition: await store(blobs, key, { description, rubric: rubric.content }),
    max_iterations,
    defined_at,
    iteration: 0,
    result: 'pending',
    explanation: null,
    completed_at: null,
  };
  return { put, condition: 'attribute_not_exists(pk)' };
}
