import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { textUpTo } from '../core/text.ts';
import { TimeZone } from '../core/time-zone.ts';
import { hasOneDomainList, HostList, HostPathList, one_domain_list } from './domains.ts';

const Policy = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('always_allow') }),
  z.strictObject({ type: z.literal('always_ask') }),
  z.strictObject({ type: z.literal('auto') }),
]);
export type Policy = z.output<typeof Policy>;

const override = { enabled: z.boolean().nullish(), permission_policy: Policy.nullish() };

const DefaultConfig = z.strictObject(override).nullish();

function plain<Name extends string>(name: Name) {
  return z.strictObject({
    name: z.literal(name),
    type: z.literal(name).optional(),
    ...override,
  });
}

const All = z.strictObject({ type: z.literal('all') });
const None = z.strictObject({ type: z.literal('none') });

/** The string form of a source means its object form, which is what we keep. */
const shorthand = z.enum(['all', 'none']).transform((type) => ({ type }));

const ToolNames = z
  .array(z.strictObject({ type: z.literal('tool_reference'), name: z.string().min(1).max(128) }))
  .min(1)
  .max(limits.url_source_tools_max)
  .refine(
    (tools) => new Set(tools.map(({ name }) => name)).size === tools.length,
    'names a tool twice. Send each once.',
  );

const UserInput = z.union([shorthand, z.discriminatedUnion('type', [All, None])]);

const ToolFilter = z.union([
  shorthand,
  z.discriminatedUnion('type', [
    All,
    None,
    z.strictObject({ type: z.literal('only'), tools: ToolNames }),
    z.strictObject({ type: z.literal('except'), tools: ToolNames }),
  ]),
]);
export type ToolFilter = z.output<typeof ToolFilter>;

const UrlSources = z
  .strictObject({
    client_tool_results: ToolFilter.nullish().transform((filter) => filter ?? null),
    server_tool_results: ToolFilter.nullish().transform((filter) => filter ?? null),
    user_input: UserInput.nullish().transform((source) => source ?? null),
  })
  .refine(
    (sources) => Object.values(sources).some((source) => source?.type !== 'none'),
    'All three are none, which allows no URL at all. Disable web_fetch instead.',
  );

const place = z.string().min(1).max(255).nullish();

const WebFetch = plain('web_fetch')
  .extend({
    allowed_domains: HostList,
    blocked_domains: HostList,
    max_content_tokens: z.int().min(1).nullish(),
    url_sources: UrlSources.nullish(),
  })
  .refine(hasOneDomainList, one_domain_list);

const WebSearch = plain('web_search')
  .extend({
    allowed_domains: HostPathList,
    blocked_domains: HostPathList,
    user_location: z
      .strictObject({
        type: z.literal('approximate'),
        city: place,
        country: z
          .string()
          .regex(/^[A-Z]{2}$/, 'must be two capital letters of ISO 3166-1, like DE.')
          .nullish(),
        region: place,
        timezone: TimeZone.nullish(),
      })
      .nullish(),
  })
  .refine(hasOneDomainList, one_domain_list);

const AgentToolsetParams = z.strictObject({
  type: z.literal('agent_toolset_20260401'),
  default_config: DefaultConfig,
  configs: z
    .array(
      z.discriminatedUnion('name', [
        plain('bash'),
        plain('read'),
        plain('write'),
        plain('edit'),
        plain('glob'),
        plain('grep'),
        WebFetch,
        WebSearch,
      ]),
    )
    .optional(),
});
export type AgentToolsetParams = z.output<typeof AgentToolsetParams>;

const McpToolsetParams = z.strictObject({
  type: z.literal('mcp_toolset'),
  mcp_server_name: textUpTo(limits.mcp_server_name_chars_max).min(1),
  default_config: DefaultConfig,
  configs: z
    .array(z.strictObject({ name: z.string().min(1).max(limits.tool_name_chars_max), ...override }))
    .optional(),
});
export type McpToolsetParams = z.output<typeof McpToolsetParams>;

/** The Messages API refuses every request with another name: a session would end with its first. */
const PropertyName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 letters, digits, _, . or -.');

/** Likewise at the top of a schema only. */
const compositions = ['oneOf', 'anyOf', 'allOf'];

const CustomToolParams = z.strictObject({
  type: z.literal('custom'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, _ or -.'),
  description: z.string().min(1),
  input_schema: z
    .looseObject({
      type: z.literal('object'),
      properties: z.record(PropertyName, z.unknown()).nullish(),
      required: z.array(z.string()).nullish(),
    })
    .refine(
      (schema) => compositions.every((name) => !(name in schema)),
      'must have no oneOf, anyOf or allOf at its top: models do not take that. Put it into a property.',
    ),
});
export type CustomToolParams = z.output<typeof CustomToolParams>;

const ToolParams = z.discriminatedUnion('type', [
  AgentToolsetParams,
  McpToolsetParams,
  CustomToolParams,
]);
export type ToolParams = z.output<typeof ToolParams>;

/** Tools of an agent, of an override and of a session's update: null clears, like an empty list. */
export const ToolList = z.array(ToolParams).max(limits.agent_tools_max);

export const McpServerList = z
  .array(
    z.strictObject({
      type: z.literal('url'),
      name: textUpTo(limits.mcp_server_name_chars_max).min(1),
      url: z
        .string()
        .max(limits.mcp_url_chars_max)
        .refine(isHttpUrl, 'must be an http or https URL without a user name or password.'),
    }),
  )
  .max(limits.mcp_servers_max);

function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === ''
  );
}
