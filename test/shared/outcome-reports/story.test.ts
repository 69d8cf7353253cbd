// Goal: facts and story are what the log says up to a rest, bounded, and nothing of the agent's own
// account. Method: a real table, events as a step writes them.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { newId } from '#shared/core/id.ts';
import type { NewEvent } from '#shared/events/event.ts';
import { readStory, type Story } from '#shared/outcome-reports/story.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { aCall, aMessage, append, aReply, putSession, testPorts } from '../../sessions.ts';

let table: StartedTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(async () => {
  await table.stop();
});

const event = (type: string, fields: object = {}): NewEvent =>
  ({ id: newId('event'), type, ...fields }) as NewEvent;
const idle = event('session.status_idle', { stop_reason: { type: 'end_turn' } });

function message(text: string): NewEvent {
  const { processed_at: _, ...rest } = aMessage(text);
  return rest as NewEvent;
}

async function storyOf(events: readonly NewEvent[]): Promise<Story> {
  const ports = testPorts(table.table);
  const { thread_id } = await putSession(ports, aCall());
  for (let from = 0; from < events.length; from += 50) {
    ports.clock.ms += 1_000;
    // oxlint-disable-next-line no-await-in-loop -- a log is written in order
    await append(ports, thread_id, events.slice(from, from + 50));
  }
  return await readStory(ports, { thread_id, idle_event_id: idle.id });
}

test('counts what happened and tells it in order, the last message at the end', async () => {
  const bash = event('agent.tool_use', { name: 'bash', input: { command: 'SECRET' } });
  const failed = event('agent.tool_result', {
    tool_use_id: bash.id,
    is_error: true,
    content: [{ type: 'text', text: 'SECRET' }],
  });
  const story = await storyOf([
    message('Do it.'),
    aReply('SECRET on the way'),
    bash,
    failed,
    event('user.tool_confirmation', { tool_use_id: bash.id, result: 'deny', deny_message: 'No.' }),
    event('session.error', { error: { type: 'billing_error', message: 'SECRET' } }),
    event('session.status_rescheduled'),
    event('user.interrupt'),
    event('span.model_request_end', { is_error: true }),
    message('Not so.'),
    aReply('Done.'),
    idle,
    message('What came later.'),
  ]);
  expect(story.facts).toMatchObject({
    turns_count: 1,
    stop_reasons: ['end_turn'],
    model_requests_count: 1,
    model_requests_failed_count: 1,
    retries_count: 1,
    errors: [{ type: 'billing_error', count: 1 }],
    tools: [{ name: 'bash', calls_count: 1, errors_count: 1 }],
    interrupts_count: 1,
    denials_count: 1,
    later_messages_count: 1,
  });
  const told = story.lines.map(({ type, text, tool, result }) => [type, text ?? tool ?? result]);
  expect(told).toEqual([
    ['user.message', 'Do it.'],
    ['agent.tool_use', 'bash'],
    ['agent.tool_result', 'bash'],
    ['user.tool_confirmation', 'No.'],
    ['session.error', 'billing_error'],
    ['session.status_rescheduled', undefined],
    ['user.interrupt', undefined],
    ['user.message', 'Not so.'],
    ['session.status_idle', 'end_turn'],
    ['agent.message', 'Done.'],
  ]);
  expect(JSON.stringify(story)).not.toContain('SECRET');
});

test('of a long session calls are left out first, and it is said how many', async () => {
  const calls = Array.from({ length: 900 }, () =>
    event('agent.tool_use', { name: 'read', input: {} }),
  );
  const story = await storyOf([message('Do it.'), ...calls, aReply('Done.'), idle]);
  expect(story.left_out_count).toBeGreaterThan(0);
  expect(story.lines.length + story.left_out_count).toBe(903);
  expect(story.facts.tools).toEqual([{ name: 'read', calls_count: 900, errors_count: 0 }]);
  expect(story.lines[0]?.text).toBe('Do it.');
  expect(story.lines.at(-1)?.text).toBe('Done.');
  const chars = story.lines.reduce((sum, line) => sum + JSON.stringify(line).length + 1, 0);
  expect(chars).toBeLessThanOrEqual(limits.report_story_chars_max);
});
