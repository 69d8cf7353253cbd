import * as z from 'zod';
import { limits } from '../core/limits.ts';

const disabled = z.strictObject({ type: z.literal('disabled') });

const Reference = z.strictObject({
  type: z.literal('agent'),
  id: z.string().min(1),
  version: z.int().min(1).optional(),
});
const Self = z.strictObject({ type: z.literal('self') });

/** An id alone means the newest version at the moment of the save. */
const bare_id = z
  .string()
  .min(1)
  .transform((id): z.output<typeof Reference> => ({ type: 'agent', id }));

const AdvisorModel = z.string().min(1).max(limits.name_chars_max);
const Advisor = z.strictObject({ type: z.literal('advisor'), model: AdvisorModel });

const Coordinator = z.strictObject({
  type: z.literal('coordinator'),
  agents: z
    .array(z.union([bare_id, z.discriminatedUnion('type', [Reference, Self, Advisor])]))
    .min(1)
    .max(limits.roster_entries_max),
});

/** One member of a roster as it is sent, or as it was resolved before. */
const PredefinedAgent = z.union([bare_id, z.discriminatedUnion('type', [Reference, Self])]);
export type RosterEntry = z.output<typeof PredefinedAgent>;

const InlineAgents = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('enabled') }),
  disabled,
]);

const Subagents = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('enabled'),
    inline_agents: InlineAgents.nullish(),
    predefined_agents: z.array(PredefinedAgent).max(limits.roster_entries_max).nullish(),
  }),
  disabled,
]);

/** What this release does not do is refused by its name, never accepted and left undone. */
const Workflows = z.discriminatedUnion('type', [
  z
    .looseObject({ type: z.literal('enabled') })
    .refine(() => false, 'workflows are not built yet. Leave it out, or send {"type":"disabled"}.'),
  disabled,
]);

const AdvisorPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('enabled'), model: AdvisorModel }),
  disabled,
]);

const Multiagent20261001 = z.strictObject({
  type: z.literal('multiagent_20261001'),
  subagents: Subagents.nullish(),
  workflows: Workflows.nullish(),
  advisor: AdvisorPart.nullish(),
});

/** `multiagent` of an agent: what is left out is decided by {@link draftOf}, which knows what is stored. */
export const MultiagentParams = z.discriminatedUnion('type', [Coordinator, Multiagent20261001]);
export type MultiagentParams = z.output<typeof MultiagentParams>;
