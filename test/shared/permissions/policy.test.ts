import fc from 'fast-check';
import { expect, test } from 'vitest';
import { policyOf, type Policy } from '#shared/permissions/policy.ts';
import type { SessionAgent } from '#shared/sessions/session.ts';

type Tools = SessionAgent['tools'];
type Setting = { enabled?: boolean; policy?: 'always_allow' | 'always_ask' | 'auto' };

const setting = ({ enabled = true, policy = 'always_allow' }: Setting) => ({
  enabled,
  permission_policy: { type: policy },
});

function toolset(standard: Setting, configs: Record<string, Setting> = {}): Tools[number] {
  return {
    type: 'agent_toolset_20260401',
    default_config: setting(standard),
    configs: Object.entries(configs).map(([name, own]) => ({ name, type: name, ...setting(own) })),
  } as Tools[number];
}

const custom: Tools[number] = {
  type: 'custom',
  name: 'pay',
  description: 'd',
  input_schema: { type: 'object' },
};

const table: [name: string, tools: Tools, tool: string, policy: Policy][] = [
  ['the default', [toolset({})], 'bash', 'always_allow'],
  ['a default that asks', [toolset({ policy: 'always_ask' })], 'bash', 'always_ask'],
  ['a default that judges', [toolset({ policy: 'auto' })], 'grep', 'auto'],
  ['its own setting', [toolset({}, { bash: { policy: 'auto' } })], 'bash', 'auto'],
  ['another tool’s setting', [toolset({}, { bash: { policy: 'auto' } })], 'read', 'always_allow'],
  ['switched off', [toolset({}, { bash: { enabled: false } })], 'bash', 'disabled'],
  ['all switched off', [toolset({ enabled: false })], 'bash', 'disabled'],
  ['switched on alone', [toolset({ enabled: false }, { bash: {} })], 'bash', 'always_allow'],
  ['a custom tool', [toolset({}), custom], 'pay', 'custom'],
  ['no toolset', [custom], 'bash', 'disabled'],
  ['no tools', [], 'bash', 'disabled'],
  ['a name that nobody declared', [toolset({}), custom], 'rm', 'disabled'],
];

test.each(table)('%s', (_name, tools, tool, policy) => {
  expect(policyOf(tools, tool)).toBe(policy);
});

test('no name outside the toolset and the custom tools is ever enabled', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const known = [
        'bash',
        'read',
        'write',
        'edit',
        'glob',
        'grep',
        'web_fetch',
        'web_search',
        'pay',
      ];
      fc.pre(!known.includes(name));
      expect(policyOf([toolset({}), custom], name)).toBe('disabled');
    }),
  );
});
