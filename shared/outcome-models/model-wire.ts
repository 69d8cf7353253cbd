import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { queryInt } from '../core/parse.ts';

const item = {
  id: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_-]{0,63}$/,
      'must be 1 to 64 of the characters a-z, 0-9, - and _, not beginning with - or _.',
    )
    .optional(),
  text: z
    .string()
    .max(limits.outcome_model_text_chars_max)
    .refine((text) => text.trim() !== '', 'must not be blank.'),
};

const Item = z.strictObject(item);
export type ItemParams = z.output<typeof Item>;

const items_max = limits.outcome_model_items_max;

/** The whole model: what is left out of it is not in the new version. */
export const ModelPut = z.strictObject({
  success_criteria: z
    .array(z.strictObject({ ...item, weight: z.enum(['must', 'should']).default('must') }))
    .min(1)
    .max(items_max),
  failure_modes: z.array(Item).max(items_max).default([]),
  signals: z.array(Item).max(items_max).default([]),
  report: z.boolean().default(true),
  version: z.int().min(0).optional(),
});
export type ModelPut = z.output<typeof ModelPut>;

export const ModelQuery = z.strictObject({ version: queryInt(1, 9_999_999_999).optional() });

export const ModelVersionsQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
});
export type ModelVersionsQuery = z.output<typeof ModelVersionsQuery>;
