import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { queryBoolean, queryInt, queryTimes } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';
import { McpServerList, ToolList } from './tools-wire.ts';

const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);

const ModelConfig = z.strictObject({
  id: z.string().min(1).max(limits.name_chars_max),
  effort: z
    .union([effort, z.strictObject({ type: effort }).transform(({ type }) => type)])
    .nullish(),
  inference_geo: z.enum(['us', 'global']).nullish(),
  speed: z.enum(['standard', 'fast']).nullish(),
});

export const ModelParams = z.union([
  z
    .string()
    .min(1)
    .max(limits.name_chars_max)
    .transform((id): z.output<typeof ModelConfig> => ({ id })),
  ModelConfig,
]);
export type ModelParams = z.output<typeof ModelParams>;

export const System = textUpTo(limits.agent_system_chars_max).nullish();

/** What this release does not do is refused by its name, never accepted and left undone. */
export const Skills = z
  .unknown()
  .refine(
    (value) => value === null || (Array.isArray(value) && value.length === 0),
    'skills are not built yet. Leave it out, or send an empty list.',
  )
  .optional();

const id = z.string().min(1);
const AgentReference = z.strictObject({
  type: z.literal('agent'),
  id,
  version: z.int().min(1).optional(),
});

/** How a session names its agent: an id alone means its newest version. */
export const AgentParam = z.union([
  id.transform((text): z.output<typeof AgentReference> => ({ type: 'agent', id: text })),
  z.discriminatedUnion('type', [
    AgentReference,
    z.strictObject({
      type: z.literal('agent_with_overrides'),
      id,
      version: z.int().min(1).optional(),
      // Null is accepted here, so that resolving can answer with the API's own reason code.
      model: ModelParams.nullish(),
      system: System,
      tools: ToolList.nullish(),
      mcp_servers: McpServerList.nullish(),
      skills: Skills,
    }),
  ]),
]);
export type AgentParam = z.output<typeof AgentParam>;

const page = {
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
};

export const AgentListQuery = z.strictObject({
  ...page,
  include_archived: queryBoolean.default(false),
  'created_at[gte]': queryTimes['created_at[gte]'],
  'created_at[lte]': queryTimes['created_at[lte]'],
});
export type AgentListQuery = z.output<typeof AgentListQuery>;

export const VersionListQuery = z.strictObject(page);
export type VersionListQuery = z.output<typeof VersionListQuery>;

export const AgentQuery = z.strictObject({ version: queryInt(1, 9_999_999_999).optional() });
