import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { queryInt, queryTime, queryTimes } from '../core/parse.ts';

const page = {
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
};

const range = {
  agent_version: queryInt(1, 9_999_999_999).optional(),
  ...queryTimes,
};

const kind = z.enum(['outcome', 'report']);

export const EvaluationListQuery = z.strictObject({
  ...page,
  order: z.enum(['asc', 'desc']).default('asc'),
});
export type EvaluationListQuery = z.output<typeof EvaluationListQuery>;

export const VerdictListQuery = z.strictObject({
  ...page,
  ...range,
  order: z.enum(['asc', 'desc']).default('desc'),
  kind: kind.optional(),
  result: z.enum(['satisfied', 'needs_revision', 'max_iterations_reached', 'failed']).optional(),
  session_id: z.string().max(128).optional(),
});
export type VerdictListQuery = z.output<typeof VerdictListQuery>;

export const VerdictSummaryQuery = z
  .strictObject({
    ...range,
    kind: kind.default('outcome'),
    split_at: queryTime.optional(),
    page: z.string().optional(),
  })
  .refine(({ split_at, page: cursor }) => split_at === undefined || cursor === undefined, {
    path: ['page'],
    message: 'cannot stand beside split_at. Leave one out.',
  });
export type VerdictSummaryQuery = z.output<typeof VerdictSummaryQuery>;
