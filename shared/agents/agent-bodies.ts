import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { MetadataCreate, MetadataPatch } from '../core/metadata.ts';
import { textUpTo } from '../core/text.ts';
import { ModelParams, Skills, System } from './agent-wire.ts';
import { MultiagentParams } from './multiagent-wire.ts';
import { McpServerList, ToolList } from './tools-wire.ts';

const Description = textUpTo(limits.description_chars_max).nullish();
const Name = textUpTo(limits.name_chars_max).min(1);

/** What this release does not do is refused by its name, never accepted and left undone. */
const Identity = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('service_account') }),
    z
      .strictObject({ type: z.literal('aws_role'), role_arn: z.string() })
      .refine(() => false, 'aws_role is not built yet. Leave it out, or send service_account.'),
  ])
  .nullish();

const shared = {
  description: Description,
  system: System,
  multiagent: MultiagentParams.nullish(),
  skills: Skills,
  execution_identity: Identity,
  tools: ToolList.nullish(),
  mcp_servers: McpServerList.nullish(),
};

export const AgentCreate = z.strictObject({
  ...shared,
  name: Name,
  model: ModelParams,
  metadata: MetadataCreate.nullish(),
});
export type AgentCreate = z.output<typeof AgentCreate>;

export const AgentUpdate = z.strictObject({
  ...shared,
  name: Name.optional(),
  model: ModelParams.optional(),
  metadata: MetadataPatch.nullish(),
  version: z.int().min(1).optional(),
});
export type AgentUpdate = z.output<typeof AgentUpdate>;
