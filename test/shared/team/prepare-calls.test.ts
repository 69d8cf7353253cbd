import type { BetaToolUseBlock } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { expect, test } from 'vitest';
import type { SessionAgent } from '#shared/sessions/session.ts';
import { prepareCall } from '#shared/team/prepare-calls.ts';
import { MemoryBlobs } from '../../memory-blobs.ts';

const block: BetaToolUseBlock = {
  type: 'tool_use',
  id: 'toolu_1',
  name: 'consult_advisor',
  input: { question: 'What now?' },
};

test.each([
  ['claude-opus-5-5', 'claude-sonnet-5-5', 'consult'],
  ['claude-sonnet-5-5', 'claude-sonnet-5-5', 'consult'],
  ['claude-haiku-4-5', 'claude-sonnet-5-5', 'wrong'],
] as const)('an advisor %s of a %s: %s', async (advisor, id, type) => {
  const agents = [{ type: 'advisor', model: advisor }];
  const agent = { model: { id }, multiagent: { type: 'coordinator', agents } };
  const prepared = await prepareCall(
    new MemoryBlobs(),
    'sesn_1',
    agent as unknown as SessionAgent,
    block,
  );
  expect(prepared.type).toBe(type);
  if (prepared.type === 'wrong') expect(prepared.text).toContain('less capable than your model');
});

test('a task of blank text starts no thread: its first request would be empty', async () => {
  const agent = { multiagent: { type: 'coordinator', agents: [{ type: 'agent', id: 'agent_1' }] } };
  const start = { ...block, name: 'start_agent', input: { agent: 'Reader', message: ' ' } };
  const prepared = await prepareCall(
    new MemoryBlobs(),
    'sesn_1',
    agent as unknown as SessionAgent,
    start,
  );
  expect(prepared).toMatchObject({
    type: 'wrong',
    text: 'start_agent: message: must not be blank.',
  });
});
