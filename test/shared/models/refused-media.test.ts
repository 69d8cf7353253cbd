/** What a provider will not look at, told over real HTTP by the scripted Messages API of test/model. */
import { afterEach, expect, test } from 'vitest';
import type { ModelMessage } from '#shared/models/model.ts';
import { startModel, type ScriptedModel } from '../../model/model.ts';
import { call, fail, say, type Reply } from '../../model/replies.ts';
import { aRequest, failureOf, modelAt, never, partsOf } from './samples.ts';

let server: ScriptedModel;
afterEach(async () => await server.close());

const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw==' } as const;
const picture = { type: 'image', source } as const;
const pdf = {
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
} as const;

/** A picture of the user's, then a PDF that a tool has read. */
const messages: ModelMessage[] = [
  { role: 'user', content: [{ type: 'text', text: 'look' }, picture] },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [pdf] }] },
];

async function serve(...replies: readonly Reply[]): Promise<void> {
  server = await startModel();
  server.on(() => true, ...replies);
}

/** How many pictures and documents each request had in each of its messages. */
function shown(): number[][] {
  return server.requests.map(({ body }) =>
    body.messages.map(({ content }) => {
      return JSON.stringify(content).match(/"type":"(image|document)"/g)?.length ?? 0;
    }),
  );
}

const place = 'messages.2.content.0.tool_result.content.0.pdf.source.base64.data';

test('what the provider names is left out, with a line in its place, and the rest is shown', async () => {
  await serve(fail(400, `${place}: A maximum of 100 PDF pages may be provided.`), say('Seen.'));
  await partsOf(modelAt(server.url).stream(aRequest({ messages }), never()));
  expect(shown()).toEqual([
    [1, 0, 1],
    [1, 0, 0],
  ]);
  expect(JSON.stringify(server.requests[1]?.body)).toContain('The document that stood here');
  expect(server.violations).toEqual([]);
});

test('where it names none, or another one then, all are left out; what is refused even so is told', async () => {
  const named = fail(400, `${place}: The PDF specified was password protected.`);
  const unnamed = fail(400, 'Could not process image');
  await serve(named, unnamed, unnamed);
  const { error } = await failureOf(modelAt(server.url).stream(aRequest({ messages }), never()));
  expect(shown()).toEqual([
    [1, 0, 1],
    [1, 0, 0],
    [0, 0, 0],
  ]);
  expect(error).toMatchObject({ kind: 'failed', status: 400, retryable: false });
});

test('another refusal is not asked again', async () => {
  await serve(fail(400, 'tools.0: Input should be an object'), call('never'));
  await failureOf(modelAt(server.url).stream(aRequest({ messages }), never()));
  expect(server.requests).toHaveLength(1);
});
