import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { expect, test } from 'vitest';
import { checkRequest } from './check-request.ts';

const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };
const said = { signed: () => true, thoughtBefore: () => [] };
const user = { role: 'user', content: 'hi' };
const assistant = { role: 'assistant', content: 'ho' };
const use = (...ids: string[]) => ({
  role: 'assistant',
  content: ids.map((id) => ({ type: 'tool_use', id, name: 'bash', input: {} })),
});
const result = (...ids: string[]) => ({
  role: 'user',
  content: ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'done' })),
});
const text = { type: 'text', text: 'more' };
const marked = { ...text, cache_control: { type: 'ephemeral' } };
const long = { ...text, cache_control: { type: 'ephemeral', ttl: '1h' } };
const of = (...messages: object[]) => ({ model: 'm', max_tokens: 1, messages });
const withTools = (...tools: object[]) => ({ ...of(user), tools });

const formatted = (schema: object) => ({
  ...of(user),
  output_config: { format: { type: 'json_schema', schema } },
});
const closed = { type: 'object', properties: {}, required: [], additionalProperties: false };
const many = (n: number, schema: object) =>
  Object.fromEntries(Array.from({ length: n }, (_, k) => [`p${k}`, schema]));

const good: [title: string, body: object][] = [
  ['a question', of(user)],
  ['a conversation', of(user, assistant, user)],
  ['parallel calls with results in any order', of(user, use('a', 'b'), result('b', 'a'))],
  [
    'text after results',
    of(user, use('a'), { role: 'user', content: [...result('a').content, text] }),
  ],
  [
    'a system message between turns',
    of(user, assistant, user, { role: 'system', content: 'be brief' }),
  ],
  [
    'four breakpoints, long ones first',
    of({ role: 'user', content: [long, marked, marked, marked] }),
  ],
  ['a pair of surrogates', of({ role: 'user', content: 'hi \u{1f600}' })],
  ['what only looks like half a pair', of({ role: 'user', content: 'write \\ud83d' })],
  ['a tool', withTools({ name: 'bash', input_schema: { type: 'object' } })],
  ['a format', formatted({ ...closed, properties: many(24, { type: 'string' }) })],
  ['a server tool', withTools({ name: 'web_search', type: 'web_search_20250305' })],
];

test.each(good)('accepts %s', (_, body) => {
  expect(checkRequest(body as MessageCreateParams, headers, said)).toBeUndefined();
});

const found = (enabled: boolean, text = 'x') => ({
  type: 'search_result',
  source: 'a',
  title: 'A',
  content: [{ type: 'text', text }],
  citations: { enabled },
});

const bad: [title: string, body: object, says: string][] = [
  ['no model', { ...of(user), model: '' }, 'model'],
  [
    'citations of some search results only',
    of({ role: 'user', content: [found(true), found(false)] }),
    'for all search results or for none',
  ],
  [
    'a search result without a word',
    of({ role: 'user', content: [found(true, ' ')] }),
    'must be non-empty',
  ],
  ['half of a pair', of({ role: 'user', content: 'hi \ud83d' }), 'no low surrogate'],
  ['half of a pair after a backslash', of({ role: 'user', content: '\\\ud83d' }), 'surrogate'],
  ['no messages', of(), 'at least one'],
  ['messages that are not a list', { ...of(), messages: 'hi' }, 'messages: Field'],
  ['no max_tokens', { ...of(user), max_tokens: undefined }, 'max_tokens: Field'],
  ['max_tokens of 0', { ...of(user), max_tokens: 0 }, 'greater than'],
  ['an unknown field', { ...of(user), session: 1 }, 'session: Extra'],
  ['the assistant first', of(assistant, user), 'first message'],
  ['a system message first', of({ role: 'system', content: 'x' }, user), 'first message'],
  [
    'a system message behind an answer',
    of(user, assistant, { role: 'system', content: 'x' }, user),
    'must follow a user message',
  ],
  ['two users in a row', of(user, user), 'alternate'],
  ['a prefill', of(user, assistant), 'prefill'],
  ['an unknown role', of(user, { role: 'tool', content: 'x' }), "unknown role 'tool'"],
  ['empty content', of({ role: 'user', content: [] }), 'non-empty'],
  ['blank text', of({ role: 'user', content: ' \n' }), 'non-whitespace'],
  ['a call by the user', of({ role: 'user', content: use('a').content }), '`assistant` messages'],
  ['an open call', of(user, use('a'), user), 'without `tool_result`'],
  ['half the results', of(user, use('a', 'b'), result('a')), 'immediately after: b'],
  ['a stray result', of(result('a')), 'unexpected `tool_use_id`'],
  ['two results', of(user, use('a'), result('a', 'a')), 'single result'],
  [
    'text before results',
    of(user, use('a'), { role: 'user', content: [text, ...result('a').content] }),
    'first in',
  ],
  ['an id used twice', of(user, use('a'), result('a'), use('a'), result('a')), 'unique: a'],
  ['a bad tool name', withTools({ name: 'a b', input_schema: {} }), "'a b'"],
  [
    'a tool twice',
    withTools({ name: 'a', input_schema: {} }, { name: 'a', input_schema: {} }),
    'unique',
  ],
  ['a tool without schema', withTools({ name: 'a' }), 'input_schema'],
  [
    'five breakpoints',
    of({ role: 'user', content: Array.from({ length: 5 }, () => marked) }),
    'maximum of 4',
  ],
  ['a long breakpoint after a short one', of({ role: 'user', content: [marked, long] }), '1h'],
  ['an open object in a format', formatted({ type: 'object', properties: {} }), 'explicitly'],
  [
    'a bound in a format',
    formatted({ ...closed, properties: { a: { type: 'string', maxLength: 3 } } }),
    "'maxLength'",
  ],
  [
    'too many optional fields in a format',
    formatted({ ...closed, properties: many(25, { type: 'string' }) }),
    '25 optional',
  ],
  [
    'too many unions in a format',
    formatted({
      ...closed,
      properties: many(17, { anyOf: [{ type: 'null' }] }),
      required: Object.keys(many(17, {})),
    }),
    '17 union',
  ],
  [
    'a forced tool while it thinks',
    { ...of(user), thinking: { type: 'adaptive' }, tool_choice: { type: 'any' } },
    'forces tool use',
  ],
  [
    'a breakpoint on thinking',
    of(user, { role: 'assistant', content: [{ ...marked, type: 'thinking' }] }, user),
    'thinking',
  ],
];

test.each(bad)('refuses %s', (_, body, says) => {
  expect(checkRequest(body as MessageCreateParams, headers, said)).toContain(says);
});

test.each(Object.keys(headers))('refuses a request without %s', (name) => {
  const rest = Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
  expect(checkRequest(of(user) as unknown as MessageCreateParams, rest, said)).toContain(name);
});
