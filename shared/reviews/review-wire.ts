import * as z from 'zod';
import { isId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { queryInt } from '../core/parse.ts';
import { faultOfContent } from '../memory/content.ts';

const paging = {
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
};

export const ChangeListQuery = z.strictObject({
  ...paging,
  state: z.enum(['proposed', 'accepted', 'rejected']).optional(),
});
export type ChangeListQuery = z.output<typeof ChangeListQuery>;

export const ApplyListQuery = z.strictObject(paging);
export type ApplyListQuery = z.output<typeof ApplyListQuery>;

const text = z.string().superRefine((content, context) => {
  const message = faultOfContent(content);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/**
 * Versions that somebody has seen and wants the change to replace, as conflicts name them. A change
 * touches fewer memories than that: all of them are one transaction.
 */
const replaces_memory_version_ids = z
  .array(
    z.string().refine((id) => isId('memory_version', id), 'must be the id of a memory version.'),
  )
  .max(limits.transaction_writes_max)
  .optional();

export const Decision = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('accept'), replaces_memory_version_ids }),
  z.strictObject({ decision: z.literal('reject') }),
  z.strictObject({ decision: z.literal('edit'), text, replaces_memory_version_ids }),
]);
export type Decision = z.output<typeof Decision>;

export const ApplyCreate = z.strictObject({
  memory_store_id: z
    .string()
    .refine((id) => isId('memory_store', id), 'must be the id of a memory store.'),
});
export type ApplyCreate = z.output<typeof ApplyCreate>;

export const ReportQuery = z.strictObject({ format: z.enum(['json', 'markdown']).default('json') });
export type ReportQuery = z.output<typeof ReportQuery>;
