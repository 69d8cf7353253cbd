import type { BetaManagedAgentsEventParams } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import {
  parseInitialEvents,
  parseSend,
  type InitialEvent,
  type SendEvent,
} from '#shared/events/params.ts';

const message = { type: 'user.message', content: [{ type: 'text', text: 'hello' }] };
const system = { type: 'system.message', content: [{ type: 'text', text: 'be brief' }] };
const result = { type: 'user.custom_tool_result', custom_tool_use_id: 'sevt_1' };
const confirmation = { type: 'user.tool_confirmation', tool_use_id: 'sevt_1', result: 'allow' };
const with_block = (block: object) => ({ type: 'user.message', content: [block] });
const with_source = (type: 'image' | 'document', source: object) => with_block({ type, source });

const of_files = (type: 'image' | 'document', count: number) => ({
  type: 'user.message',
  content: Array.from({ length: count }, () => ({
    type,
    source: { type: 'file', file_id: 'file_1' },
  })),
});

const accepted: [title: string, events: object[]][] = [
  ['a text message', [message]],
  [
    'an image as base64',
    [with_source('image', { type: 'base64', data: 'aGk=', media_type: 'image/png' })],
  ],
  ['an image by url', [with_source('image', { type: 'url', url: 'https://example.com/a.png' })]],
  [
    'a pdf as base64, with title and context',
    [
      with_block({
        type: 'document',
        source: { type: 'base64', data: 'aGk=', media_type: 'application/pdf' },
        title: 'Report',
        context: null,
      }),
    ],
  ],
  [
    'a text document',
    [with_source('document', { type: 'text', data: 'x', media_type: 'text/plain' })],
  ],
  [
    'a document by url',
    [with_source('document', { type: 'url', url: 'http://example.com/a.pdf' })],
  ],
  [
    'base64 of the largest size',
    [
      with_source('image', {
        type: 'base64',
        data: 'A'.repeat(limits.source_chars_max),
        media_type: 'image/jpeg',
      }),
    ],
  ],
  ['a file as image', [with_source('image', { type: 'file', file_id: 'file_1' })]],
  ['100 documents that are files', [of_files('document', 100)]],
  ['an interrupt', [{ type: 'user.interrupt' }]],
  ['an interrupt of one thread', [{ type: 'user.interrupt', session_thread_id: 'sthr_1' }]],
  ['an interrupt and a message', [{ type: 'user.interrupt' }, message]],
  ['an allow', [confirmation]],
  ['an allow with a null deny_message', [{ ...confirmation, deny_message: null }]],
  ['a deny with its message', [{ ...confirmation, result: 'deny', deny_message: 'no' }]],
  ['a confirmation that names its thread', [{ ...confirmation, session_thread_id: 'sthr_1' }]],
  ['a custom result without content', [result]],
  [
    'a custom result with empty text',
    [{ ...result, content: [{ type: 'text', text: '' }], is_error: true }],
  ],
  [
    'a custom result with a search result',
    [
      {
        ...result,
        content: [
          {
            type: 'search_result',
            source: 'https://example.com',
            title: 'Example',
            content: [{ type: 'text', text: 'found' }],
            citations: { enabled: true },
          },
        ],
      },
    ],
  ],
  ['a system message alone', [system]],
  ['a system message after a user message', [message, system]],
  ['a system message after a tool result', [result, system]],
  ['50 events', Array.from({ length: 50 }, () => message)],
];

const refused: [title: string, body: unknown, message: RegExp][] = [
  ['no body', undefined, /no body/],
  ['no events', { events: [] }, /events: must have at least 1 item/],
  ['51 events', { events: Array.from({ length: 51 }, () => message) }, /at most 50 items/],
  ['a field beside events', { events: [message], extra: 1 }, /extra: unknown field/],
  [
    'an unknown type',
    { events: [{ type: 'user.shout' }] },
    /events\.0\.type: must be .*user\.message/,
  ],
  [
    'one bad event among good ones',
    { events: [message, { type: 'user.message' }] },
    /events\.1\.content: is required/,
  ],
  [
    'a message without content',
    { events: [{ ...message, content: [] }] },
    /content: must have at least 1/,
  ],
  [
    'an empty text',
    { events: [with_block({ type: 'text', text: '' })] },
    /text: must have at least 1/,
  ],
  [
    'a message of blank text',
    { events: [message, with_block({ type: 'text', text: ' \n' })] },
    /^events\.1\.content: has nothing but blank text/,
  ],
  [
    'a system message of blank text',
    { events: [message, { ...system, content: [{ type: 'text', text: '\t' }] }] },
    /^events\.1\.content: has nothing but blank text/,
  ],
  [
    'a field in a block',
    { events: [with_block({ type: 'text', text: 'a', cache_control: {} })] },
    /cache_control: unknown field/,
  ],
  ['an id from the client', { events: [{ ...message, id: 'sevt_1' }] }, /id: unknown field/],
  [
    'a redacted block',
    { events: [with_block({ type: 'redacted' })] },
    /redacted blocks are only read/,
  ],
  [
    'a file source with more than an id',
    {
      events: [with_source('image', { type: 'file', file_id: 'file_1', media_type: 'image/png' })],
    },
    /media_type: unknown field/,
  ],
  [
    'a file source without an id',
    { events: [with_source('document', { type: 'file' })] },
    /file_id: is required/,
  ],
  [
    '101 documents that are files',
    { events: [of_files('document', 60), of_files('document', 41)] },
    /^events: has more than 100 document blocks with a file/,
  ],
  [
    '101 images that are files',
    { events: [of_files('image', 101)] },
    /^events: has more than 100 image blocks/,
  ],
  [
    'an image that no model reads',
    { events: [with_source('image', { type: 'base64', data: 'aGk=', media_type: 'image/tiff' })] },
    /media_type: must be 'image\/png'/,
  ],
  [
    'a document that no model reads',
    {
      events: [with_source('document', { type: 'base64', data: 'aGk=', media_type: 'text/html' })],
    },
    /media_type: must be 'application\/pdf'/,
  ],
  [
    'broken base64',
    { events: [with_source('image', { type: 'base64', data: 'a?==', media_type: 'image/png' })] },
    /must be base64 with padding/,
  ],
  [
    'base64 without padding',
    { events: [with_source('image', { type: 'base64', data: 'aGk', media_type: 'image/png' })] },
    /must be base64 with padding/,
  ],
  [
    'a source above the bound, which is named',
    {
      events: [
        with_source('image', {
          type: 'base64',
          data: 'A'.repeat(limits.source_chars_max + 4),
          media_type: 'image/png',
        }),
      ],
    },
    new RegExp(`${limits.source_chars_max} characters`),
  ],
  [
    'a url of another scheme',
    { events: [with_source('image', { type: 'url', url: 'file:///etc/passwd' })] },
    /must be an http or https URL/,
  ],
  [
    'a deny_message with allow',
    { events: [{ ...confirmation, deny_message: 'no' }] },
    /deny_message: is allowed only when result is deny/,
  ],
  [
    'another verdict',
    { events: [{ ...confirmation, result: 'maybe' }] },
    /result: must be 'allow' or 'deny'/,
  ],
  [
    'a worker result',
    { events: [{ type: 'user.tool_result', tool_use_id: 'sevt_1' }] },
    /only for sessions of self_hosted/,
  ],
  [
    'an outcome without a rubric',
    { events: [{ type: 'user.define_outcome', description: 'x' }] },
    /rubric/,
  ],
  [
    'two outcomes',
    {
      events: ['x', 'y'].map((description) => ({
        type: 'user.define_outcome',
        description,
        rubric: { type: 'text', content: 'z' },
      })),
    },
    /at most one user\.define_outcome/,
  ],
  [
    'a system message with an image',
    { events: [{ type: 'system.message', content: [{ type: 'image' }] }] },
    /must be 'text'/,
  ],
  [
    'a system message without text',
    { events: [{ type: 'system.message', content: [] }] },
    /at least 1/,
  ],
  ['two system messages', { events: [message, system, system] }, /at most one system\.message/],
  ['a system message before a message', { events: [system, message] }, /it is the last event/],
  [
    'a system message after an interrupt',
    { events: [{ type: 'user.interrupt' }, system] },
    /stands alone or right after/,
  ],
];

describe('parseSend', () => {
  test.each(accepted)('accepts %s and gives it back unchanged', (_title, events) => {
    expect(parseSend({ events })).toEqual(events);
  });

  test.each(refused)('refuses %s', (_title, body, text) => {
    expect(() => parseSend(body)).toThrow(text);
    expect(() => parseSend(body)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  test('its events are events of the SDK', () => {
    type Ours = Exclude<SendEvent, { type: 'user.tool_confirmation' | 'user.custom_tool_result' }>;
    expectTypeOf<Ours>().toExtend<BetaManagedAgentsEventParams>();
    expectTypeOf<SendEvent>().toExtend<BetaManagedAgentsEventParams>();
  });
});

describe('parseInitialEvents', () => {
  test('accepts an empty list and user messages', () => {
    expect(parseInitialEvents([])).toEqual([]);
    expect(parseInitialEvents([message, message])).toEqual([message, message]);
  });

  test.each([system, { type: 'user.interrupt' }, confirmation, result])(
    'refuses $type',
    (event) => {
      expect(() => parseInitialEvents([event])).toThrow(/0\.type: must be/);
    },
  );

  test('takes an outcome, with the iterations that it has by default', () => {
    const outcome = {
      type: 'user.define_outcome',
      description: 'x',
      rubric: { type: 'text', content: 'y' },
    };
    expect(parseInitialEvents([outcome])).toEqual([{ ...outcome, max_iterations: 3 }]);
    expect(() => parseInitialEvents([outcome, outcome])).toThrow(/at most one/);
  });

  test('its events are events of the SDK', () => {
    expectTypeOf<InitialEvent[]>().toExtend<NonNullable<SessionCreateParams['initial_events']>>();
  });
});
