import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkDraft,
  draftOf,
  membersOf,
  withMembers,
  type Multiagent,
} from '#shared/agents/multiagent.ts';
import { MultiagentParams } from '#shared/agents/multiagent-wire.ts';
import { checkTeam } from '#shared/agents/team.ts';
import { parseBody } from '#shared/core/parse.ts';
import { knownModels } from '#shared/models/catalogue.ts';
import { isRedacted, mayAdvise } from '#shared/models/advisor-pair.ts';

/** What an update makes of the stored `multiagent`: one row for each part, level and kind of value. */

const at = (id: string, version = 1) => ({ type: 'agent', id, version }) as const;
const off = { type: 'disabled' } as const;
const on = { type: 'enabled' } as const;
const own_id = 'agent_own';

const coordinator: Multiagent = { type: 'coordinator', agents: [at('a'), at('b')] };
const newer = {
  type: 'multiagent_20261001',
  subagents: { ...on, inline_agents: off, predefined_agents: [at('a'), at('b')] },
  workflows: off,
  advisor: { ...on, model: 'claude-opus-5-5' },
} as const satisfies Multiagent;
const defaults: Multiagent = {
  type: 'multiagent_20261001',
  subagents: { ...on, inline_agents: on, predefined_agents: [] },
  workflows: off,
  advisor: off,
};
const kind = { type: 'multiagent_20261001' };
const { subagents } = newer;

const draft = (stored: Multiagent | null, sent: unknown) =>
  draftOf(stored, sent == null ? (sent as null | undefined) : parseBody(MultiagentParams, sent));

test.each<[string, Multiagent | null, unknown, unknown]>([
  ['omitted keeps nothing', null, undefined, null],
  ['omitted keeps a coordinator', coordinator, undefined, coordinator],
  ['omitted keeps the newer kind', newer, undefined, newer],
  ['null clears a coordinator', coordinator, null, null],
  ['null clears the newer kind', newer, null, null],
  [
    'a coordinator replaces a coordinator whole',
    coordinator,
    { type: 'coordinator', agents: ['c'] },
    {
      type: 'coordinator',
      agents: [{ type: 'agent', id: 'c' }],
    },
  ],
  ['a coordinator replaces the newer kind', newer, coordinator, coordinator],
  ['the type alone, on nothing, is the defaults', null, kind, defaults],
  ['the type alone replaces a coordinator by the defaults', coordinator, kind, defaults],
  ['the type alone keeps the same type as it is', newer, kind, newer],
  [
    'null for every part is the defaults',
    newer,
    { ...kind, subagents: null, workflows: null, advisor: null },
    defaults,
  ],
  [
    'null for every part, on nothing',
    null,
    { ...kind, subagents: null, workflows: null, advisor: null },
    defaults,
  ],
  ['one part leaves the others', newer, { ...kind, advisor: off }, { ...newer, advisor: off }],
  [
    'another advisor replaces',
    newer,
    { ...kind, advisor: { ...on, model: 'claude-fable-5-2' } },
    {
      ...newer,
      advisor: { ...on, model: 'claude-fable-5-2' },
    },
  ],
  ['the same type of a part keeps its keys', newer, { ...kind, subagents: on }, newer],
  [
    'a key of a part leaves the others',
    newer,
    { ...kind, subagents: { ...on, inline_agents: on } },
    {
      ...newer,
      subagents: { ...subagents, inline_agents: on },
    },
  ],
  [
    'null for a key of a part is its default',
    newer,
    { ...kind, subagents: { ...on, inline_agents: null } },
    {
      ...newer,
      subagents: { ...subagents, inline_agents: on },
    },
  ],
  [
    'a list replaces the list whole',
    newer,
    { ...kind, subagents: { ...on, predefined_agents: ['c'] } },
    {
      ...newer,
      subagents: { ...subagents, predefined_agents: [{ type: 'agent', id: 'c' }] },
    },
  ],
  [
    'null for a list empties it',
    newer,
    { ...kind, subagents: { ...on, inline_agents: on, predefined_agents: null } },
    {
      ...newer,
      subagents: { ...on, inline_agents: on, predefined_agents: [] },
    },
  ],
  [
    'another type of a part replaces it',
    newer,
    { ...kind, subagents: off },
    { ...newer, subagents: off },
  ],
  [
    'and back again, what is left out takes its default',
    { ...newer, subagents: off } as Multiagent,
    { ...kind, subagents: on },
    { ...newer, subagents: { ...on, inline_agents: on, predefined_agents: [] } },
  ],
  ['workflows that are disabled are accepted', newer, { ...kind, workflows: off }, newer],
])('%s', (_, stored, sent, expected) => {
  expect(draft(stored, sent)).toEqual(expected);
});

test('what was read back can be sent again and changes nothing', () => {
  const member = fc.record({
    type: fc.constant('agent' as const),
    id: fc.string({ minLength: 1 }),
    version: fc.integer({ min: 1 }),
  });
  const advisor = fc.record({ type: fc.constant('enabled' as const), model: fc.constant('m') });
  const part = fc.record({
    type: fc.constant('enabled' as const),
    inline_agents: fc.constantFrom(on, off),
    predefined_agents: fc.array(member, { maxLength: 20 }),
  });
  const any = fc.record({
    type: fc.constant('multiagent_20261001' as const),
    subagents: fc.oneof(fc.constant(off), part),
    workflows: fc.constant(off),
    advisor: fc.oneof(fc.constant(off), advisor),
  });
  fc.assert(
    fc.property(any, fc.option(any), (stored, before) => {
      expect(draft(before, stored)).toEqual(stored);
      expect(draft(stored, stored)).toEqual(stored);
      expect(withMembers(stored, membersOf(stored))).toEqual(stored);
    }),
  );
});

describe('is refused by name', () => {
  const many = Array.from({ length: 21 }, (_, n) => `a${n}`);
  test.each<[string, unknown, RegExp]>([
    ['another type', { type: 'swarm' }, /^type: must be 'coordinator' or 'multiagent_20261001'/],
    ['an empty roster', { type: 'coordinator', agents: [] }, /^agents: must have at least 1 item/],
    ['21 entries', { type: 'coordinator', agents: many }, /^agents: must have at most 20 items/],
    ['an entry of no type', { type: 'coordinator', agents: [{ type: 'x' }] }, /^agents\.0/],
    [
      'an advisor without a model',
      { type: 'coordinator', agents: [{ type: 'advisor' }] },
      /^agents\.0\.model: is required/,
    ],
    [
      'an advisor among predefined agents',
      { ...kind, subagents: { ...on, predefined_agents: [{ type: 'advisor', model: 'm' }] } },
      /^subagents\.predefined_agents\.0/,
    ],
    [
      '21 predefined agents',
      { ...kind, subagents: { ...on, predefined_agents: many } },
      /at most 20 items/,
    ],
    ['a part without its type', { ...kind, subagents: { inline_agents: on } }, /^subagents/],
    [
      'an enabled advisor without a model',
      { ...kind, advisor: on },
      /^advisor\.model: is required/,
    ],
    [
      'workflows',
      { ...kind, workflows: on },
      /^workflows: workflows are not built yet\. Leave it out, or send/,
    ],
    [
      'workflows with agents',
      { ...kind, workflows: { ...on, predefined_agents: ['a'] } },
      /^workflows: workflows are not built/,
    ],
    ['an unknown part', { ...kind, agents: ['a'] }, /^agents: unknown field/],
    [
      'a disabled part with more',
      { ...kind, subagents: { ...off, inline_agents: on } },
      /inline_agents: unknown field/,
    ],
  ])('%s', (_, sent, message) => {
    expect(() => parseBody(MultiagentParams, sent)).toThrow(message);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'an agent twice',
      { type: 'coordinator', agents: ['a', { type: 'advisor', model: 'm' }, at('a', 2)] },
      /^multiagent\.agents\.2: agent 'a' stands there already/,
    ],
    [
      'itself twice',
      { type: 'coordinator', agents: [{ type: 'self' }, own_id] },
      /^multiagent\.agents\.1: agent 'agent_own'/,
    ],
    [
      'two advisors',
      {
        type: 'coordinator',
        agents: [
          { type: 'advisor', model: 'm' },
          { type: 'advisor', model: 'n' },
        ],
      },
      /two advisors/,
    ],
    [
      'a predefined agent twice',
      { ...kind, subagents: { ...on, predefined_agents: ['a', 'b', 'a'] } },
      /^multiagent\.subagents\.predefined_agents\.2/,
    ],
    [
      'nothing to start',
      { ...kind, subagents: { ...on, inline_agents: off } },
      /nothing could be started/,
    ],
  ])('%s', (_, sent, message) => {
    const merged = draftOf(null, parseBody(MultiagentParams, sent));
    expect(() => merged !== null && checkDraft(merged, own_id)).toThrow(message);
  });
});

test('what is left out of a merge is checked as what was stored', () => {
  const sent = { ...kind, subagents: { ...on, predefined_agents: [] } };
  const merged = draft(newer, sent);
  expect(() => merged !== null && checkDraft(merged, own_id)).toThrow(/nothing could be started/);
});

test.each<[string, string | undefined, (string | undefined)[], boolean]>([
  ['none has a region', undefined, [undefined, undefined], true],
  ['all have the same', 'us', ['us', 'us'], true],
  ['one member has none', 'us', ['us', undefined], false],
  ['only a member has one', undefined, ['us'], false],
  ['two differ', 'us', ['us', 'global'], false],
])('regions: %s', (_, own, theirs, fits) => {
  const model = (inference_geo?: string) =>
    ({ id: 'm', ...(inference_geo === undefined ? {} : { inference_geo }) }) as never;
  const members = theirs.map((region, n) => ({ name: `n${n}`, model: model(region) }));
  const check = () => checkTeam(model(own), { multiagent: coordinator, members });
  if (fits) expect(check).not.toThrow();
  else expect(check).toThrow(/inference_geo must be the same for all agents or set for none/);
});

test.each<[advisor: string, executor: string, boolean]>([
  ['claude-opus-5-5', 'claude-opus-5-5', true],
  ['claude-opus-5-5', 'claude-haiku-5-5', true],
  ['claude-opus-4-5', 'claude-sonnet-5-5', true],
  ['claude-opus-5', 'claude-opus-5-5', false],
  ['claude-opus-5-5', 'claude-opus-5', true],
  ['claude-sonnet-5-5', 'claude-opus-4-5', false],
  ['claude-haiku-4-5-20251001', 'claude-haiku-5-5', false],
  ['claude-mythos-5-1', 'claude-fable-5-1', true],
  ['claude-fable-5', 'claude-mythos-5-1', false],
  ['of-another-maker', 'claude-fable-5-2', true],
  ['claude-haiku-4-5', 'of-another-maker', true],
])('%s may advise %s: %s', (advisor, executor, may) => {
  expect(mayAdvise(advisor, executor)).toBe(may);
});

test.each([
  ['claude-opus-5', true],
  ['claude-opus-5-5-20261001', true],
  ['claude-fable-5-2', true],
  ['claude-mythos-5-1', true],
  ['claude-opus-4-8', false],
  ['claude-sonnet-5-5', false],
  ['of-another-maker', false],
])('what %s advises is hidden from clients: %s', (advisor, is_hidden) => {
  expect(isRedacted(advisor)).toBe(is_hidden);
});

test('each known model but a preview has a rank, so two of them are always told apart', () => {
  const named = knownModels.filter((id) => !id.endsWith('-preview'));
  for (const a of named) {
    for (const b of named) expect(mayAdvise(a, b) || mayAdvise(b, a)).toBe(true);
  }
  const unranked = named.filter(
    (id) => mayAdvise(id, 'claude-fable-9') && mayAdvise('claude-haiku-1', id),
  );
  expect(unranked).toEqual([]);
});
