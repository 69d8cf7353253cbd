import { expect, test } from 'vitest';
import { checkTools, resolveTools } from '#shared/agents/tools.ts';
import { McpServerList, ToolList } from '#shared/agents/tools-wire.ts';
import { parseBody } from '#shared/core/parse.ts';
import { custom, mcp, server, toolset } from './samples.ts';

/** Tools: what is filled in, and what is refused because it contradicts itself. */

const resolve = (...tools: object[]) => resolveTools(parseBody(ToolList, tools));
const allow = { type: 'always_allow' };
const ask = { type: 'always_ask' };
const auto = { type: 'auto' };
const runs = { enabled: true, permission_policy: allow };

test.each<[string, object, object]>([
  [
    'a bare toolset runs everything',
    toolset,
    { default_config: { enabled: true, permission_policy: allow }, configs: [] },
  ],
  [
    'nulls are as good as nothing',
    {
      ...toolset,
      default_config: { enabled: null, permission_policy: null },
      configs: [{ name: 'bash', enabled: null, permission_policy: null }],
    },
    {
      default_config: { enabled: true, permission_policy: allow },
      configs: [{ name: 'bash', type: 'bash', enabled: true, permission_policy: allow }],
    },
  ],
  [
    'a tool takes what it leaves out from the default of its toolset',
    {
      ...toolset,
      default_config: { enabled: false, permission_policy: ask },
      configs: [
        { name: 'read', enabled: true },
        { name: 'edit', permission_policy: auto },
      ],
    },
    {
      default_config: { enabled: false, permission_policy: ask },
      configs: [
        { name: 'read', type: 'read', enabled: true, permission_policy: ask },
        { name: 'edit', type: 'edit', enabled: false, permission_policy: auto },
      ],
    },
  ],
  [
    'web_fetch shows its sources, unset ones as null, in their object form',
    {
      ...toolset,
      configs: [
        { name: 'web_fetch', url_sources: { user_input: 'none', client_tool_results: 'all' } },
      ],
    },
    {
      default_config: runs,
      configs: [
        {
          name: 'web_fetch',
          type: 'web_fetch',
          enabled: true,
          permission_policy: allow,
          url_sources: {
            user_input: { type: 'none' },
            client_tool_results: { type: 'all' },
            server_tool_results: null,
          },
        },
      ],
    },
  ],
  [
    'web_fetch without sources shows null',
    { ...toolset, configs: [{ name: 'web_fetch', type: 'web_fetch', max_content_tokens: 9 }] },
    {
      default_config: runs,
      configs: [
        { name: 'web_fetch', type: 'web_fetch', ...runs, max_content_tokens: 9, url_sources: null },
      ],
    },
  ],
  [
    'a list of domains that is null is none',
    { ...toolset, configs: [{ name: 'web_search', type: 'web_search', allowed_domains: null }] },
    {
      default_config: runs,
      configs: [{ name: 'web_search', type: 'web_search', ...runs, allowed_domains: undefined }],
    },
  ],
  [
    'tools of an MCP server ask',
    { ...mcp, configs: [{ name: 'search', permission_policy: allow }] },
    {
      default_config: { enabled: true, permission_policy: ask },
      configs: [{ name: 'search', enabled: true, permission_policy: allow }],
    },
  ],
  ['a custom tool stays as it was sent', custom, custom],
])('%s', (_, tool, expected) => {
  expect(resolve(tool)).toEqual([{ ...tool, ...expected }]);
});

const config = (over: object): object => ({ ...toolset, configs: [over] });
const fetch = (over: object): object => config({ name: 'web_fetch', ...over });
const search = (over: object): object => config({ name: 'web_search', ...over });

test.each<[string, object]>([
  ['hosts', fetch({ allowed_domains: ['docs.example.com', 'a-b.example.co.uk', 'my_x.a.io/'] })],
  ['a path of web_search', search({ blocked_domains: ['example.com/ads'] })],
  ['64 domains', fetch({ allowed_domains: Array.from({ length: 64 }, (_, n) => `d${n}.com`) })],
  [
    'a whole location',
    search({ user_location: { type: 'approximate', country: 'DE', city: null } }),
  ],
])('%s are accepted', (_, tool) => {
  expect(() => resolve(tool)).not.toThrow();
});

test.each<[string, object, RegExp]>([
  ['an unknown tool', config({ name: 'python' }), /configs\.0\.name: must be 'bash' or/],
  ['an unknown field', config({ name: 'bash', timeout: 1 }), /timeout: unknown field/],
  ['a type that is not the name', config({ name: 'bash', type: 'read' }), /type: must be 'bash'/],
  [
    'an unknown policy',
    config({ name: 'bash', permission_policy: { type: 'never' } }),
    /permission_policy\.type: must be/,
  ],
  ['an unknown toolset', { type: 'agent_toolset_20250101' }, /0\.type: must be/],
  [
    'both domain lists',
    fetch({ allowed_domains: ['a.com'], blocked_domains: ['b.com'] }),
    /Only one of allowed_domains or blocked_domains may be set/,
  ],
  ['an empty domain list', fetch({ allowed_domains: [] }), /allowed_domains: must not be empty/],
  [
    '65 domains',
    fetch({ allowed_domains: Array.from({ length: 65 }, (_, n) => `d${n}.com`) }),
    /at most 64/,
  ],
  ['a domain twice', fetch({ allowed_domains: ['a.com', 'A.com/'] }), /a domain twice/],
  ['a path of web_fetch', fetch({ allowed_domains: ['a.com/x'] }), /must be a public host name/],
  [
    'a query of web_search',
    search({ allowed_domains: ['a.com/x?y'] }),
    /must be a public host name/,
  ],
  [
    'a pattern of web_search',
    search({ allowed_domains: ['a.com/x|y'] }),
    /must be a public host name/,
  ],
  [
    'a time zone that is none',
    search({ user_location: { type: 'approximate', timezone: 'Mars/Base' } }),
    /timezone: is no IANA time zone/,
  ],
  [
    'a country in words',
    search({ user_location: { type: 'approximate', country: 'Germany' } }),
    /country: must be two capital letters/,
  ],
  ['no tokens at all', fetch({ max_content_tokens: 0 }), /max_content_tokens: must be at least 1/],
  [
    'three sources that are none',
    fetch({
      url_sources: {
        user_input: 'none',
        client_tool_results: { type: 'none' },
        server_tool_results: 'none',
      },
    }),
    /allows no URL at all/,
  ],
  [
    'an empty list of sources',
    fetch({ url_sources: { client_tool_results: { type: 'only', tools: [] } } }),
    /must have at least 1 item/,
  ],
  [
    'only for user input',
    fetch({ url_sources: { user_input: { type: 'only', tools: [] } } }),
    /must be 'all' or 'none'/,
  ],
  ['a custom name with a blank', { ...custom, name: 'get order' }, /name: must be 1 to 128/],
  [
    'a custom tool without a description',
    { ...custom, description: '' },
    /description: must have at least 1/,
  ],
  [
    'a schema that is not of an object',
    { ...custom, input_schema: { type: 'string' } },
    /input_schema\.type: must be 'object'/,
  ],
  [
    'a schema that is composed at its top, which models refuse with every request',
    { ...custom, input_schema: { type: 'object', anyOf: [{ required: ['id'] }] } },
    /input_schema: must have no oneOf, anyOf or allOf/,
  ],
  [
    'a property with a blank in its name',
    { ...custom, input_schema: { type: 'object', properties: { 'order id': {} } } },
    /input_schema\.properties\.order id: must be 1 to 64/,
  ],
])('%s is refused by name', (_, tool, message) => {
  expect(() => resolve(tool)).toThrow(message);
});

test.each([
  'localhost',
  'com',
  'gov.uk',
  '10.0.0.1',
  '127.1',
  '127.0.0x1',
  '::1',
  'a.internal',
  'x.localhost',
  'http://a.com',
  'a.com:80',
  '*.a.com',
  'ä.com',
  'a..com',
  '-a.com',
  '',
])('the domain %j is refused', (domain) => {
  expect(() => resolve(fetch({ allowed_domains: [domain] }))).toThrow(/allowed_domains\.0: /);
});

const check =
  (tools: object[], servers: object[] = []) =>
  () =>
    checkTools(resolve(...tools), parseBody(McpServerList, servers));

const reference = (name: string): object => ({ type: 'tool_reference', name });
const only = (name: string): object => ({ type: 'only', tools: [reference(name)] });

test.each<[string, object[], object[]]>([
  ['no tools', [], []],
  ['one of each', [toolset, mcp, custom], [server]],
  [
    'sources that name tools which exist',
    [
      fetch({
        url_sources: {
          client_tool_results: only('get_order'),
          server_tool_results: only('web_search'),
        },
      }),
      custom,
    ],
    [],
  ],
  [
    '248 custom tools beside the eight built-in ones',
    [toolset, ...Array.from({ length: 248 }, (_, n) => ({ ...custom, name: `t${n}` }))],
    [],
  ],
])('%s fit together', (_, tools, servers) => {
  expect(check(tools, servers)).not.toThrow();
});

test.each<[string, object[], object[], RegExp]>([
  [
    'a server that no toolset names',
    [],
    [server],
    /no mcp_toolset in tools names the server 'docs'/,
  ],
  [
    'a toolset of an undeclared server',
    [mcp],
    [],
    /names the server 'docs', which mcp_servers does not/,
  ],
  ['a server twice', [mcp], [server, server], /the server 'docs' stands there twice/],
  [
    'two toolsets of one server',
    [mcp, mcp],
    [server],
    /mcp_toolset of server 'docs' stands there twice/,
  ],
  ['two agent toolsets', [toolset, toolset], [], /agent_toolset_20260401' stands there twice/],
  [
    'a tool configured twice',
    [{ ...toolset, configs: [{ name: 'bash' }, { name: 'bash' }] }],
    [],
    /config of tool 'bash'/,
  ],
  ['two custom tools of one name', [custom, custom], [], /the tool 'get_order' stands there twice/],
  [
    'a custom tool with a built-in name',
    [toolset, { ...custom, name: 'bash' }],
    [],
    /the tool 'bash'/,
  ],
  [
    'a reserved name',
    [{ ...custom, name: 'ant__x' }],
    [],
    /names that start with ant__ are reserved/,
  ],
  [
    '257 tools over all toolsets',
    [toolset, ...Array.from({ length: 249 }, (_, n) => ({ ...custom, name: `t${n}` }))],
    [],
    /257 tools over all toolsets/,
  ],
  [
    'configured MCP tools beyond 256',
    [{ ...mcp, configs: Array.from({ length: 257 }, (_, n) => ({ name: `t${n}` })) }],
    [server],
    /257 tools/,
  ],
  [
    'a source that is not a custom tool',
    [fetch({ url_sources: { client_tool_results: only('bash') } })],
    [],
    /client_tool_results: a custom tool/,
  ],
  [
    'a source that is not a server tool',
    [fetch({ url_sources: { server_tool_results: only('get_order') } }), custom],
    [],
    /server_tool_results: web_search or web_fetch/,
  ],
])('%s do not fit together', (_, tools, servers, message) => {
  expect(check(tools, servers)).toThrow(message);
});

test.each([
  'ftp://a.com',
  'a.com',
  'https://user:pw@a.com',
  'javascript:alert(1)',
  `https://a.com/${'x'.repeat(2_048)}`,
])('the server URL %s is refused', (url) => {
  expect(() => parseBody(McpServerList, [{ ...server, url }])).toThrow(/^0\.url: /);
});
