import { slugOf } from '#shared/playbooks/playbook.ts';
import { completeMessage } from '../../infra/local/offline-model/messages-sse.ts';
import { lessonsIn } from '../../infra/local/offline-model/reflecting.ts';
import { serveMessages, type MessagesServer } from '../../infra/local/offline-model/server.ts';
import { dataIn } from '../../infra/local/offline-model/tagged.ts';
import { lastText } from '../model/model.ts';
import { store_tool } from './rewrite.ts';

interface ShownMemory {
  readonly path: string;
  readonly text: string;
}

/**
 * A Messages API that rewrites a store without a model, by the rules by which the offline model reads
 * transcripts for a dream. So it loses nothing by itself, as a model's rewrite does: what it shows is
 * only what nobody checks.
 */
export async function offlineRewriter(): Promise<MessagesServer> {
  return await serveMessages(({ body }) => {
    const asked = lastText(body);
    const memories = dataIn<ShownMemory[]>(asked, 'memories') ?? [];
    const input = { memories: [...memories, ...learned(asked)] };
    const tokens = (text: string): number => Math.ceil(text.length / 4);
    return completeMessage({
      id: 'msg_rewritten',
      model: body.model,
      content: [
        {
          type: 'tool_use',
          id: 'toolu_rewritten',
          name: store_tool.name,
          input,
          caller: { type: 'direct' },
        },
      ],
      usage: { input_tokens: tokens(asked), output_tokens: tokens(JSON.stringify(input)) },
    });
  });
}

/** Each advice once, as a note. */
function learned(asked: string): ShownMemory[] {
  const notes = new Map<string, string>();
  for (const transcript of asked.split('<transcript-')) {
    for (const { advice } of lessonsIn(transcript)) {
      notes.set(`/notes/${slugOf(advice)}.md`, `${advice}\n`);
    }
  }
  return [...notes].map(([path, text]) => ({ path, text }));
}
