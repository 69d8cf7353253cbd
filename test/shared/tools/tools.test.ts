import { expect, test } from 'vitest';
import { repeatable, toolDefinitions, type AgentTool } from '#shared/tools/tools.ts';

const policy = { type: 'always_allow' as const };
function aToolset(enabled: boolean, exceptions: Record<string, boolean> = {}): AgentTool {
  const configs = Object.entries(exceptions).map(([name, is_enabled]) => ({
    type: name,
    name,
    enabled: is_enabled,
    permission_policy: policy,
  }));
  return {
    type: 'agent_toolset_20260401',
    default_config: { enabled, permission_policy: policy },
    configs,
  } as AgentTool;
}
const custom: AgentTool = {
  type: 'custom',
  name: 'crm',
  description: 'Looks up a customer.',
  input_schema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
};

const names = (tools: AgentTool[], has_search = true) =>
  toolDefinitions(tools, { has_search }).map(({ name }) => name);
const all = ['bash', 'read', 'write', 'edit', 'glob', 'grep', 'web_fetch', 'web_search'];

test('the order of tools is always the same: built-in ones, then custom ones', () => {
  expect(names([custom, aToolset(true)])).toEqual([...all, 'crm']);
});

test('web_search is offered only where a search can be done', () => {
  expect(names([aToolset(true)], false)).toEqual(all.slice(0, -1));
});

test('a tool\u2019s own setting goes before the toolset\u2019s default', () => {
  expect(names([aToolset(true, { bash: false })])).toEqual(all.slice(1));
  expect(names([aToolset(false, { read: true, grep: true })])).toEqual(['read', 'grep']);
  expect(names([custom])).toEqual(['crm']);
});

test('a definition is a strict JSON schema, the same bytes each time', () => {
  const [bash, read] = toolDefinitions([aToolset(true)], { has_search: true });
  expect(bash?.input_schema).toMatchObject({ type: 'object', additionalProperties: false });
  expect(read?.input_schema).toMatchObject({ required: ['file_path'] });
  expect(JSON.stringify(toolDefinitions([aToolset(true)], { has_search: true }))).toBe(
    JSON.stringify(toolDefinitions([aToolset(true)], { has_search: true })),
  );
  expect(JSON.stringify(bash)).not.toContain('$schema');
});

test('a call that leaves traces is not repeated', () => {
  expect(all.filter((name) => repeatable(name))).toEqual([
    'read',
    'glob',
    'grep',
    'web_fetch',
    'web_search',
  ]);
});
