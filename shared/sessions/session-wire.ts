import * as z from 'zod';
import { AgentParam } from '../agents/agent-wire.ts';
import { McpServerList, ToolList } from '../agents/tools-wire.ts';
import { limits } from '../core/limits.ts';
import { MetadataCreate, MetadataPatch } from '../core/metadata.ts';
import { queryBoolean, queryInt, queryList, queryTimes } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';
import { initialEvents } from '../events/params.ts';
import { ResourceList } from '../resources/resource-wire.ts';

/** Whole US cents: 15 digits are exact in a number, also in millionths of a cent as a bigint. */
const Budget = z.strictObject({
  type: z.literal('limit'),
  max_list_cost: z.strictObject({
    amount: z
      .string()
      .regex(/^[1-9]\d{0,14}$/, 'must be whole cents above zero as text, like "2500".'),
    currency: z.literal('USD'),
  }),
});

const Title = textUpTo(limits.session_title_chars_max).nullish();

/** What this release does not do is refused by its name, never accepted and left undone. */
const Vaults = noneOf('vaults are not built yet.');

function noneOf(why: string) {
  return z
    .array(z.unknown())
    .refine((items) => items.length === 0, `${why} Leave it out, or send an empty list.`)
    .nullish();
}

export const SessionCreate = z.strictObject({
  agent: AgentParam,
  environment_id: z.string().min(1),
  title: Title,
  metadata: MetadataCreate.nullish(),
  budget: Budget.nullish(),
  initial_events: initialEvents.nullish(),
  resources: ResourceList.nullish(),
  vault_ids: Vaults,
});
export type SessionCreate = z.output<typeof SessionCreate>;

export const SessionUpdate = z.strictObject({
  title: Title,
  metadata: MetadataPatch.nullish(),
  budget: Budget.nullable().optional(),
  agent: z
    .strictObject({ tools: ToolList.nullish(), mcp_servers: McpServerList.nullish() })
    .optional(),
  vault_ids: z
    .unknown()
    .refine(() => false, 'cannot be changed after creation. Leave it out.')
    .optional(),
});
export type SessionUpdate = z.output<typeof SessionUpdate>;

export const SessionListQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
  agent_id: z.string().optional(),
  agent_version: queryInt(1, 9_999_999_999).optional(),
  deployment_id: z.string().optional(),
  memory_store_id: z.string().optional(),
  statuses: queryList(z.enum(['rescheduling', 'running', 'idle', 'terminated'])).optional(),
  include_archived: queryBoolean.default(false),
  ...queryTimes,
});
export type SessionListQuery = z.output<typeof SessionListQuery>;
