import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions';
import { expect, test } from 'vitest';
import { eventLine } from './event-line.ts';

test.each([
  [{ type: 'agent.tool_use', name: 'bash', input: { command: 'ls\n -l' } }, 'bash ls -l', 'cyan'],
  [{ type: 'agent.tool_use', name: 'lookup', input: { id: 1 } }, 'lookup {"id":1}', 'cyan'],
  [{ type: 'agent.tool_result', content: [{ type: 'text', text: '1' }] }, '1', 'dim'],
  [{ type: 'agent.tool_result', is_error: true }, '', 'red'],
  [
    { type: 'agent.message', content: [{ type: 'text', text: 'x'.repeat(50) }] },
    `${'x'.repeat(19)}…`,
    'bold',
  ],
  [
    { type: 'user.message', content: [{ type: 'document', title: 'a.csv' }], processed_at: 'now' },
    '[a.csv]',
    'green',
  ],
  [
    { type: 'session.error', error: { type: 'billing_error', message: 'no' } },
    'billing_error: no',
    'red',
  ],
  [{ type: 'user.define_outcome', description: 'Do it.' }, 'Do it.', 'green'],
  [{ type: 'span.outcome_evaluation_end', result: 'needs_revision' }, 'needs_revision', 'yellow'],
  [{ type: 'span.outcome_evaluation_end', result: 'satisfied' }, 'satisfied', 'green'],
  [{ type: 'session.status_idle', stop_reason: { type: 'end_turn' } }, 'end_turn', 'green'],
  [
    { type: 'session.status_idle', stop_reason: { type: 'budget_reached' } },
    'budget_reached',
    'yellow',
  ],
  [{ type: 'user.message', content: [], processed_at: null }, 'accepted', 'dim'],
  [{ type: 'session.status_running' }, '', 'dim'],
])('%j reads %j in %s', (event, text, colour) => {
  const line = eventLine(event as unknown as BetaManagedAgentsStreamSessionEvents, 20);
  expect(line).toEqual({ type: event.type, text, colour });
});
