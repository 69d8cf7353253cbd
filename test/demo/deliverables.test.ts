import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions';
import { expect, test } from 'vitest';
import { Deliverables } from './deliverables.ts';

let n = 0;
function tool(
  name: string,
  input: object,
  is_error = false,
): BetaManagedAgentsStreamSessionEvents[] {
  const id = `sevt_${(n += 1)}`;
  return [
    { type: 'agent.tool_use', id, name, input, processed_at: '' },
    { type: 'agent.tool_result', id: `${id}r`, tool_use_id: id, is_error, processed_at: '' },
  ] as BetaManagedAgentsStreamSessionEvents[];
}
const write = (file_path: string, content: string, is_error = false) =>
  tool('write', { file_path, content }, is_error);
const edit = (old_string: string, new_string: string, more = {}) =>
  tool('edit', { file_path: '/mnt/session/outputs/a.md', old_string, new_string, ...more });

test.each([
  ['a write', [write('/mnt/session/outputs/a.md', 'x')], { 'a.md': 'x' }],
  [
    'the last of two writes',
    [write('/mnt/session/outputs/a.md', 'x'), write('/mnt/session/outputs/a.md', 'y')],
    { 'a.md': 'y' },
  ],
  ['a folder', [write('/mnt/session/outputs/b/c.csv', 'x')], { 'b/c.csv': 'x' }],
  ['nothing of a write that failed', [write('/mnt/session/outputs/a.md', 'x', true)], {}],
  ['nothing written elsewhere', [write('/tmp/a.md', 'x')], {}],
  ['nothing that leaves the folder', [write('/mnt/session/outputs/../../a.md', 'x')], {}],
  ['an edit', [write('/mnt/session/outputs/a.md', 'xx'), edit('x', '$&y')], { 'a.md': '$&yx' }],
  [
    'an edit of all',
    [write('/mnt/session/outputs/a.md', 'xx'), edit('x', 'y', { replace_all: true })],
    { 'a.md': 'yy' },
  ],
  ['nothing of an edit of what was not seen', [edit('x', 'y')], {}],
])('%s is delivered', (_, events, texts) => {
  const deliverables = new Deliverables();
  for (const event of events.flat()) deliverables.see(event);
  expect(Object.fromEntries(deliverables.texts)).toEqual(texts);
});
