import * as z from 'zod';
import { scopes } from '../core/call.ts';
import { isId } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { queryBoolean, queryInt } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';

export const ApiKeyCreate = z.strictObject({
  name: textUpTo(limits.name_chars_max).min(1),
  workspace_id: z
    .string()
    .refine((text) => isId('workspace', text), 'must be wrkspc_ and 20 to 40 letters or digits.')
    .optional(),
  scopes: z.array(z.enum(scopes)).min(1).default(['read', 'write']),
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time, like 2026-01-31T00:00:00Z.' })
    .nullable()
    .default(null),
});
export type ApiKeyCreate = z.output<typeof ApiKeyCreate>;

export const ApiKeyListQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
  include_revoked: queryBoolean.default(false),
});
export type ApiKeyListQuery = z.output<typeof ApiKeyListQuery>;
