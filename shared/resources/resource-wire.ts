import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { queryInt } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';

const MountPath = z.string().nullish();

/** An owner's and a repository's name as GitHub allows them; no `.git`, no query, no further path. */
const URL_FORM =
  /^https:\/\/github\.com\/[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

const RepositoryUrl = z
  .string()
  .refine(
    (url) => URL_FORM.test(url) && !url.endsWith('.git'),
    'must be exactly https://github.com/owner/repository, without .git and without a slash at its end.',
  );

/** It becomes a header. The message must never hold the value. */
const Token = z
  .string()
  .regex(/^[\x21-\x7e]{1,1024}$/, 'must be 1 to 1024 visible ASCII characters without spaces.');

/** What git refuses in the name of a branch. */
const ODD_BRANCH = /[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|\/\.|[/.]$|\.lock$/u;

const Checkout = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('branch'),
    name: z
      .string()
      .min(1)
      .max(limits.branch_chars_max)
      .refine((name) => name.isWellFormed() && !ODD_BRANCH.test(name), 'is no name of a branch.'),
  }),
  z.strictObject({
    type: z.literal('commit'),
    sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i, 'must be a full SHA of a commit.'),
  }),
]);

export const FileParams = z.strictObject({
  type: z.literal('file'),
  file_id: z.string().min(1),
  mount_path: MountPath,
});
export type FileParams = z.output<typeof FileParams>;

const RepositoryParams = z.strictObject({
  type: z.literal('github_repository'),
  url: RepositoryUrl,
  authorization_token: Token.optional(),
  checkout: Checkout.nullish(),
  mount_path: MountPath,
});
export type RepositoryParams = z.output<typeof RepositoryParams>;

const MemoryParams = z.strictObject({
  type: z.literal('memory_store'),
  memory_store_id: z.string().min(1),
  access: z.enum(['read_write', 'read_only']).nullish(),
  instructions: textUpTo(limits.resource_instructions_chars_max).nullish(),
});
export type MemoryParams = z.output<typeof MemoryParams>;

const ResourceParams = z.discriminatedUnion('type', [FileParams, RepositoryParams, MemoryParams]);
export type ResourceParams = z.output<typeof ResourceParams>;

function counted(type: ResourceParams['type'], max: number) {
  return [
    (all: readonly ResourceParams[]) => all.filter((one) => one.type === type).length <= max,
    `a session has at most ${max} resources of the type ${type}. Leave some out.`,
  ] as const;
}

/** What a session is created with. */
export const ResourceList = z
  .array(ResourceParams)
  .refine(...counted('file', limits.session_mounted_files_max))
  .refine(...counted('memory_store', limits.session_stores_max))
  .refine(...counted('github_repository', limits.session_repositories_max));

export const ResourceUpdate = z.strictObject({ authorization_token: Token });
export type ResourceUpdate = z.output<typeof ResourceUpdate>;

/** Without `limit` all are given. */
export const ResourceListQuery = z.strictObject({
  limit: queryInt(1, limits.resources_page_max).default(limits.resources_page_max),
  page: z.string().optional(),
});
export type ResourceListQuery = z.output<typeof ResourceListQuery>;
