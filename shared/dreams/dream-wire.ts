import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { queryBoolean, queryInt, queryList, queryTimes } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';

/** Source: API reference, dreams: the models that dream. */
export const dream_models = [
  'claude-opus-5-5',
  'claude-fable-5-1',
  'claude-opus-5',
  'claude-fable-5',
  'claude-opus-4-8',
  'claude-opus-4-7',
  'claude-sonnet-5-5',
  'claude-sonnet-5',
  'claude-sonnet-4-6',
] as const;

const ModelId = z
  .string()
  .min(1)
  .max(limits.name_chars_max)
  .refine(
    (id) => dream_models.some((known) => known === id),
    `does not dream. Use one of ${dream_models.join(', ')}.`,
  );

/** As a string, or as an object of one speed. */
export const DreamModel = z.union([
  ModelId.transform((id) => ({ id, speed: 'standard' as const })),
  z
    .strictObject({ id: ModelId, speed: z.literal('standard').nullish() })
    .transform(({ id }) => ({ id, speed: 'standard' as const })),
]);

const SessionIds = z
  .array(z.string())
  .min(1)
  .max(limits.dream_sessions_max)
  .refine((ids) => new Set(ids).size === ids.length, 'must not name a session twice.');

const Input = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('memory_store'), memory_store_id: z.string() }),
  z.strictObject({ type: z.literal('sessions'), session_ids: SessionIds }),
]);

const Inputs = z.array(Input).transform((inputs, context) => {
  const [first, second] = inputs.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  if (inputs.length === 2 && first?.type === 'memory_store' && second?.type === 'sessions') {
    return { memory_store_id: first.memory_store_id, session_ids: second.session_ids.toSorted() };
  }
  context.addIssue({
    code: 'custom',
    message: "must hold exactly one 'memory_store' and exactly one 'sessions'.",
  });
  return z.NEVER;
});

const OutputBehavior = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('create_new') }),
  z.strictObject({ type: z.literal('update_existing'), memory_store_id: z.string() }),
]);

export const DreamCreate = z
  .strictObject({
    inputs: Inputs,
    model: DreamModel,
    instructions: textUpTo(limits.dream_instructions_chars_max).min(1).nullish(),
    output_behavior: OutputBehavior.default({ type: 'create_new' }),
  })
  .refine(
    ({ inputs, output_behavior }) =>
      output_behavior.type === 'create_new' ||
      output_behavior.memory_store_id === inputs.memory_store_id,
    {
      path: ['output_behavior', 'memory_store_id'],
      message: 'must be the memory store of inputs.',
    },
  );
export type DreamCreate = z.output<typeof DreamCreate>;

export const DreamListQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
  statuses: queryList(z.enum(['pending', 'running', 'completed', 'failed', 'canceled'])).optional(),
  include_archived: queryBoolean.default(false),
  'created_at[gt]': queryTimes['created_at[gt]'],
  'created_at[lt]': queryTimes['created_at[lt]'],
});
export type DreamListQuery = z.output<typeof DreamListQuery>;
