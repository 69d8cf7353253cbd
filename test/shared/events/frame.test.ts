import { expect, test } from 'vitest';
import { frameText, type StreamEvent } from '#shared/events/frame.ts';

const event: StreamEvent = {
  id: 'sevt_1',
  type: 'agent.message',
  content: [{ type: 'text', text: 'a\r\nb\u2028c' }],
  processed_at: '2026-11-20T00:00:00.000Z',
};

test('an event of the log has its id, its type and one line of data', () => {
  const text = frameText({ event, resumable: true });
  expect(text.split(/\r\n|\r|\n/)).toEqual([
    'id: sevt_1',
    'event: agent.message',
    `data: ${JSON.stringify(event)}`,
    '',
    '',
  ]);
});

test('what cannot be resumed from has no id', () => {
  expect(frameText({ event, resumable: false })).toMatch(/^event: agent\.message\ndata: /);
});

test('a line break in a field is our bug, and no frame', () => {
  const broken = { ...event, id: 'sevt_1\ndata: {}' };
  expect(() => frameText({ event: broken, resumable: true })).toThrow(/one line/);
});
