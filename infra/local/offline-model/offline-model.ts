import { dataAnalyst } from './data-analyst.ts';
import { dreamer } from './dreamer.ts';
import { grader } from './grader.ts';
import { completeMessage, type ScriptedMessage } from './messages-sse.ts';
import { readRequest, type Conversation } from './conversation.ts';
import { dataSpecialist, teamLead } from './team.ts';
import { serveMessages, type MessagesServer } from './server.ts';

/** One thing that the offline model can do. The first that wants a request answers it. */
export interface Script {
  wants(conversation: Conversation): boolean;
  answer(conversation: Conversation): ScriptedMessage['content'];
}

const polite: Script = {
  wants: () => true,
  answer: ({ asked }) => [
    {
      type: 'text',
      text:
        'I am the offline model of the local host: no model key is set, so I answer by a script and do not ' +
        `think. You wrote: “${asked.slice(0, 200)}”. Set ANTHROPIC_API_KEY and start again to speak with Claude.`,
      citations: null,
    },
  ],
};

const scripts: readonly Script[] = [grader, dreamer, teamLead, dataSpecialist, dataAnalyst, polite];

/** A Messages API that answers without a model. */
export async function offlineModel(): Promise<MessagesServer> {
  return await serveMessages(({ body, path }) => {
    const conversation = readRequest(body);
    const { messages, system, tools } = body;
    const input_tokens = tokens(JSON.stringify({ messages, system, tools }));
    if (path.endsWith('/count_tokens')) return { status: 200, body: { input_tokens } };
    const script = scripts.find((each) => each.wants(conversation)) ?? polite;
    const content = script.answer(conversation);
    const output_tokens = tokens(JSON.stringify(content));
    return completeMessage({
      content,
      id: `msg_offline${conversation.length}`,
      model: body.model,
      usage: { input_tokens, output_tokens },
    });
  });
}

/**
 * Four characters to a token: good enough to show that usage adds up. A model reads the words
 * themselves: what only JSON escapes is one character.
 */
function tokens(json: string): number {
  return Math.ceil(json.replaceAll(/\\(?:u[0-9a-f]{4}|.)/g, '.').length / 4);
}
