/** The offline model as a grader: it judges by what its tools have shown it, and by nothing else. */
import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { expect, test } from 'vitest';
import { readRequest } from '../../infra/local/offline-model/conversation.ts';
import { grader } from '../../infra/local/offline-model/grader.ts';
import { sources } from '../../infra/local/offline-model/report.ts';

const path = '/mnt/session/outputs/a.md';
const brief = [
  '<criteria-K>\n{"id":"c1","under":[],"text":"It names the yield of the harvest."}\n{"id":"c2","text":"It has a section \\"Sources\\"."}\n</criteria-K>',
  `<deliverable-K>\n{"path":"${path}","size_bytes":9}\n</deliverable-K>`,
].join('\n\n');

type Messages = MessageCreateParams['messages'];

function answer(...more: Messages) {
  const tools = ['read', 'submit_verdict'].map((name) => ({ name, input_schema: {} as never }));
  const messages: Messages = [{ role: 'user', content: brief }, ...more];
  const conversation = readRequest({ model: 'm', max_tokens: 1, messages, tools });
  expect(grader.wants(conversation)).toBe(true);
  return grader.answer(conversation).map((block) => ('input' in block ? block.input : undefined));
}

function read(text: string): Messages {
  const content = `"${path}", characters 0 to 9.\n<deliverable-K>\n${text}\n</deliverable-K>`;
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'read', input: { path } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content }] },
  ];
}

const verdicts = (inputs: readonly unknown[]) =>
  (inputs[0] as { criteria: { id: string; verdict: string; evidence: unknown[] }[] }).criteria;

test('it reads every file that is listed before it judges', () => {
  expect(answer()).toEqual([{ path }]);
});

test('it quotes the line that speaks of a criterion, and needs a section by its title', () => {
  expect(
    verdicts(answer(...read('# Report\nThe harvest had a yield of 4 t.\nSources are many.'))),
  ).toEqual([
    expect.objectContaining({
      id: 'c1',
      verdict: 'met',
      evidence: [{ path, quote: 'The harvest had a yield of 4 t.' }],
    }),
    { id: 'c2', verdict: 'not_met', reason: 'There is no section “Sources”.', evidence: [] },
  ]);
  const second = verdicts(answer(...read('Nothing here.\n## Sources\nledger')));
  expect(second.map(({ verdict }) => verdict)).toEqual(['not_met', 'met']);
});

test('the analyst’s sources are what its report says of the files', () => {
  const shown = '1\t# Report\n2\t\n3\t- **a.csv**: 12 rows of `x`, in 1 series.\n4\tThe end.\n';
  expect(sources(shown)).toEqual({
    old_string: 'The end.',
    new_string: 'The end.\n\n## Sources\n\n- a.csv: 12 rows',
  });
});
