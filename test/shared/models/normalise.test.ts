import type { BetaMessageParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { expect, test } from 'vitest';
import { normalise } from '#shared/models/normalise.ts';

const user = (...texts: string[]): BetaMessageParam => ({
  role: 'user',
  content: texts.map((text) => ({ type: 'text', text })),
});
const system = (text: string): BetaMessageParam => ({ role: 'system', content: text });
const said = (text: string): BetaMessageParam => ({ role: 'assistant', content: text });
const calling = (...ids: string[]): BetaMessageParam => ({
  role: 'assistant',
  content: ids.map((id) => ({ type: 'tool_use', id, name: 'bash', input: {} })),
});
const result = (tool_use_id: string): BetaMessageParam => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id, content: 'ok' }],
});

/** Roles and blocks in short: `user:a+b`. */
function shape(messages: BetaMessageParam[]): string[] {
  return messages.map(({ role, content }) => {
    const blocks = Array.isArray(content) ? content : [];
    const names = blocks.map((block) =>
      'text' in block ? block.text : 'tool_use_id' in block ? `=${block.tool_use_id}` : block.type,
    );
    return `${role}:${names.join('+')}`;
  });
}

const table: [name: string, messages: BetaMessageParam[], shape: string[]][] = [
  ['messages of one role are one message', [user('a'), user('b', 'c')], ['user:a+b+c']],
  ['roles alternate', [user('a'), said('b'), user('c')], ['user:a', 'assistant:b', 'user:c']],
  ['empty text is left out', [user('a', ' '), said(''), user('b')], ['user:a+b']],
  [
    'results stand first, in the order in which they came',
    [user('a'), calling('1', '2'), user('meanwhile'), result('2'), result('1')],
    ['user:a', 'assistant:tool_use+tool_use', 'user:=2+=1+meanwhile'],
  ],
  ['a system message follows the user', [user('a'), system('s')], ['user:a', 'system:s']],
  [
    'a system message stays where it was answered',
    [user('a'), system('s'), said('b'), user('c')],
    ['user:a', 'system:s', 'assistant:b', 'user:c'],
  ],
  [
    'what the user says after an unanswered system message stands before it',
    [user('a'), system('s'), user('b')],
    ['user:a+b', 'system:s'],
  ],
  [
    'a system message that was sent first of all follows the first words of the user',
    [system('s'), user('a')],
    ['user:a', 'system:s'],
  ],
  [
    'a system message that was sent behind an answer follows what the user says next',
    [user('a'), said('b'), system('s'), user('c'), system('t'), user('d')],
    ['user:a', 'assistant:b', 'user:c+d', 'system:s+t'],
  ],
  [
    'a system message may follow results',
    [user('a'), calling('1'), result('1'), system('s')],
    ['user:a', 'assistant:tool_use', 'user:=1', 'system:s'],
  ],
];

test.each(table)('%s', (_name, messages, expected) => {
  expect(shape(normalise(messages))).toEqual(expected);
});

const refused: [name: string, messages: BetaMessageParam[]][] = [
  ['nothing at all', []],
  ['an assistant who speaks first', [said('a')]],
  ['a call at the end', [user('a'), calling('1')]],
  ['a call that is answered by words', [user('a'), calling('1'), user('b')]],
  [
    'a call that is answered later',
    [user('a'), calling('1', '2'), result('1'), said('b'), result('2')],
  ],
  ['a result without its call', [user('a'), said('b'), result('1')]],
  ['a result that came twice', [user('a'), calling('1'), result('1'), result('1')]],
  ['a result before any call', [result('1')]],
];

test.each(refused)('%s is our own bug, found before the provider finds it', (_name, messages) => {
  expect(() => normalise(messages)).toThrow('invariant broken');
});

test('the messages given are never changed', () => {
  const messages = [user('a'), system('s'), user('b'), calling('1'), result('1')];
  const before = structuredClone(messages);
  normalise(messages);
  expect(messages).toEqual(before);
});

test('a result of a tool that printed nothing has no content, for an empty text is refused', () => {
  const content = [
    { type: 'text', text: '' },
    { type: 'text', text: 'a' },
  ] as const;
  const results: BetaMessageParam = {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'c1', content: [content[0]] },
      { type: 'tool_result', tool_use_id: 'c2', content: [...content] },
    ],
  };
  expect(normalise([user('go'), calling('c1', 'c2'), results])[2]?.content).toEqual([
    { type: 'tool_result', tool_use_id: 'c1', content: [] },
    { type: 'tool_result', tool_use_id: 'c2', content: [content[1]] },
  ]);
});

const found = (enabled: boolean | undefined, ...texts: string[]) => ({
  type: 'search_result' as const,
  source: 'https://a.example',
  title: 'A',
  content: texts.map((text) => ({ type: 'text' as const, text })),
  ...(enabled === undefined ? {} : { citations: { enabled } }),
});

test.each([
  [[true, false], true],
  [[false, true], false],
  [[undefined, true], false],
] as const)('search results with citations %j all have them: %s', (settings, expected) => {
  const rounds = settings.flatMap((enabled, n): BetaMessageParam[] => [
    calling(String(n)),
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: String(n), content: [found(enabled, 'x')] }],
    },
  ]);
  const sent = JSON.stringify(normalise([user('a'), ...rounds]));
  const given = [...sent.matchAll(/"citations":\{"enabled":(\w+)\}/g)].map(([, word]) => word);
  expect(given).toEqual(settings.map(() => String(expected)));
});

test('a search result without a word says where it is, and empty texts of others are left out', () => {
  const content = [found(true, '', ' \n'), found(true, '', 'said')];
  const sent = normalise([
    user('a'),
    calling('1'),
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content }] },
  ]);
  expect(sent.at(-1)?.content).toMatchObject([
    {
      content: [
        { content: [{ text: 'https://a.example' }] },
        { content: [{ type: 'text', text: 'said' }] },
      ],
    },
  ]);
});
