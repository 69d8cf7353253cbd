/**
 * A transcript for people. Method: what strangers say is made of Markdown's and HTML's own marks, and
 * the result is read by CommonMark's rule for fences: nothing of it may stand outside of a fence.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import type { SessionEvent } from '#shared/events/event.ts';
import { fenced, plain } from '#shared/transcripts/fence.ts';
import { eventMarkdown, titleMarkdown } from '#shared/transcripts/markdown.ts';
import type { Session } from '#shared/sessions/show-session.ts';

const at = '2026-11-20T10:00:00.000Z';
const id = 'sevt_00000000000000000000000001';

/** The lines that stand outside of every fence. @throws Error when a fence is left open */
function outside(markdown: string): string[] {
  const found: string[] = [];
  let open = '';
  // A lone carriage return ends a line too.
  for (const line of markdown.split(/\r\n|\n|\r/)) {
    const run = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    if (open === '') {
      if (run?.[1] === undefined) found.push(line);
      else open = run[1];
    } else if (run?.[1] !== undefined && run[1].length >= open.length && run[2]?.trim() === '') {
      open = '';
    }
  }
  if (open !== '') throw new Error(`a fence is open: ${JSON.stringify(markdown)}`);
  return found;
}

const hostile = fc
  .array(
    fc.constantFrom(
      '```',
      '`',
      '~~~',
      '\n',
      '\r',
      '# ',
      '> ',
      '<div>',
      '</p>',
      '[a]: b',
      'word',
      ' ',
      '\t',
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

test('a fenced text cannot end its fence, and stands in it letter by letter', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const block = fenced('text', text);
      expect(outside(block)).toEqual(['']);
      expect(block.slice(block.indexOf('\n') + 1)).toMatch(/`{3,}\n$/);
      expect(block).toContain(`\n${text}`);
    }),
  );
});

test('a name is one line without mark-up', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const name = plain(text);
      expect(name).not.toMatch(/[\r\n\t]/);
      expect(name.replaceAll(/\\./g, '')).not.toMatch(/[`~#><[\]*_]/);
    }),
  );
  expect(plain('a\u2028b\u0000c')).toBe('a b c');
  expect(plain('1. "No": 5 days (not 14.5), see http://a.bc/_x')).toBe(
    String.raw`1\. "No": 5 days (not 14.5), see http\://a\.bc/\_x`,
  );
});

const marker = 'MARKER';
const text = (words: string) => [{ type: 'text' as const, text: words }];

/** Every place of an event in which a stranger's words may stand. */
const speakers: [name: string, event: (words: string) => SessionEvent][] = [
  ['user', (words) => ({ id, type: 'user.message', content: text(words), processed_at: at })],
  ['agent', (words) => ({ id, type: 'agent.message', content: text(words), processed_at: at })],
  [
    'call',
    (words) => ({ id, type: 'agent.tool_use', name: 'bash', input: { words }, processed_at: at }),
  ],
  [
    'result',
    (words) => ({
      id,
      type: 'agent.tool_result',
      tool_use_id: id,
      content: text(words),
      processed_at: at,
    }),
  ],
  [
    'search result',
    (words) => ({
      id,
      type: 'agent.tool_result',
      tool_use_id: id,
      content: [
        {
          type: 'search_result',
          title: 'T',
          source: 'S',
          citations: { enabled: true },
          content: text(words),
        },
      ],
      processed_at: at,
    }),
  ],
  [
    'document',
    (words) => ({
      id,
      type: 'user.message',
      content: [
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: words } },
      ],
      processed_at: at,
    }),
  ],
  [
    'error',
    (words) => ({
      id,
      type: 'session.error',
      error: { type: 'unknown_error', message: words, retry_status: { type: 'exhausted' } },
      processed_at: at,
    }),
  ],
  [
    'refusal of a call',
    (words) => ({
      id,
      type: 'user.tool_confirmation',
      tool_use_id: id,
      result: 'deny',
      deny_message: words,
      processed_at: at,
    }),
  ],
];

test.each(speakers)('the words of a %s stay inside of its fence', (_, eventOf) => {
  fc.assert(
    fc.property(hostile, hostile, (before, after) => {
      const lines = outside(eventMarkdown(eventOf(`${before}${marker}${after}`)));
      expect(lines.filter((line) => line.includes(marker))).toEqual([]);
      expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(1);
    }),
  );
});

test('a hostile title and name break no line and make no mark-up', () => {
  fc.assert(
    fc.property(hostile, hostile, (title, name) => {
      const lines = outside(titleMarkdown(aSession(`${title}x`, `${name}y`)));
      expect(lines.filter((line) => line.startsWith('# '))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(4);
      expect(lines).toHaveLength(7);
    }),
  );
});

function aSession(title: string, name: string): Session {
  return {
    id: newId('session'),
    title,
    status: 'idle',
    created_at: at,
    agent: { id: 'agent_1', version: 2, name, model: { id: 'claude-opus-5-5' } },
    usage: { input_tokens: 5, list_cost: { amount: '12', currency: 'USD' }, active_seconds: 3 },
  } as Session;
}

test('a title says what the session is and what it has cost', () => {
  const lines = titleMarkdown(aSession('Primes', 'Ada')).split('\n');
  expect(lines[0]).toBe('# Primes');
  expect(lines).toContain('- Agent Ada (`agent_1`, version 2), model claude-opus-5-5');
  expect(lines).toContain(
    '- Used so far: 0.12 USD, 5 tokens in, 0 from the cache, 0 out, 3 s active',
  );
});

test('a long result is shortened and points at its event; a message is whole', () => {
  const words = `${'x'.repeat(3_999)}😀${'y'.repeat(10_000)}`;
  const result = eventMarkdown(speakers[3]?.[1](words) as SessionEvent);
  expect(result).toContain(`10002 more characters in event \`${id}\``);
  expect(result.length).toBeLessThan(4_300);
  expect(result.isWellFormed()).toBe(true);
  expect(eventMarkdown(speakers[0]?.[1](words) as SessionEvent)).toContain(words);
});

const shown: [event: Partial<SessionEvent>, heading: string, body: RegExp][] = [
  [
    { type: 'session.thread_status_idle', stop_reason: { type: 'end_turn' } },
    String.raw`### Stopped: end\_turn · ${at}`,
    /^$/,
  ],
  [
    {
      type: 'span.model_request_end',
      is_error: false,
      model_usage: {
        input_tokens: 1,
        output_tokens: 2,
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 0,
      },
    },
    `### Model request · ${at}`,
    /^1 tokens in, 3 from the cache, 2 out$/,
  ],
  [
    {
      type: 'session.usage',
      usage: { list_cost: { amount: '250', currency: 'USD' } },
      budget: null,
    },
    `### Cost of the session so far · ${at}`,
    /^2\.50 USD/,
  ],
  [
    { type: 'agent.tool_result', tool_use_id: 'sevt_x', is_error: true, content: [] },
    `### Failed result of \`sevt_x\` · ${at}`,
    /^Nothing\.$/,
  ],
  [
    {
      type: 'user.message',
      content: [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      ],
    },
    `### User · ${at}`,
    /^Image: image\/png, 3 bytes$/,
  ],
  [{ type: 'user.interrupt' }, String.raw`### user\.interrupt · ${at}`, /^$/],
];

test.each(shown)('%o is shown', (event, heading, body) => {
  const whole = eventMarkdown({ id, processed_at: at, ...event } as SessionEvent);
  const [, first, , ...rest] = whole.split('\n');
  expect(first).toBe(heading);
  expect(rest.join('\n').trim()).toMatch(body);
});

test('what says nothing is left out', () => {
  const event = { id, type: 'session.status_running', processed_at: at } as const;
  expect(eventMarkdown(event)).toBe('');
});
