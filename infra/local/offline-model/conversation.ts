import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';

export interface Done {
  readonly name: string;
  readonly input: unknown;
  readonly result: string;
  readonly failed: boolean;
}

/** What a script needs of a request: what was asked last, and what tools have said since. */
export interface Conversation {
  readonly system: string;
  /** The text of the last message that a person wrote. */
  readonly asked: string;
  /** The calls since then, with their results, in order. */
  readonly done: readonly Done[];
  /** All calls of the conversation, with their results. */
  readonly calls: readonly Done[];
  /** All texts that were said to the model. */
  readonly texts: readonly string[];
  /** Text documents that came with what was asked, by their titles. */
  readonly documents: ReadonlyMap<string, string>;
  readonly tools: ReadonlySet<string>;
  /** Title of the JSON Schema that the answer is to fit. */
  readonly format: string | undefined;
  /** Messages so far. */
  readonly length: number;
}

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly name?: string;
  readonly input?: unknown;
  readonly tool_use_id?: string;
  readonly content?: unknown;
  readonly is_error?: boolean;
  readonly title?: string | null;
  readonly source?: { readonly type: string; readonly data?: string };
}

export function readRequest({
  messages,
  system,
  tools,
  output_config,
}: MessageCreateParams): Conversation {
  const blocks = messages.flatMap(({ role, content }) =>
    blocksOf(content).map((block) => ({ ...block, role })),
  );
  const calls = new Map(
    blocks.filter(({ type }) => type === 'tool_use').map((block) => [block.id ?? '', block]),
  );
  const question = blocks.findLastIndex(isQuestion);
  const results = blocks.slice(question + 1).filter(({ type }) => type === 'tool_result');
  const documents = blocks.filter(
    ({ type, source }) => type === 'document' && source !== undefined,
  );
  const names = (tools ?? []).flatMap((tool) => ('name' in tool ? [tool.name] : []));
  return {
    system: textOf(system),
    asked: blocks[question]?.text ?? '',
    done: results.map((result) => answered(result, calls)),
    calls: blocks
      .filter(({ type }) => type === 'tool_result')
      .map((result) => answered(result, calls)),
    texts: blocks.flatMap(({ type, role, text }) =>
      role === 'user' && type === 'text' && text !== undefined ? [text] : [],
    ),
    documents: new Map(
      documents.map(({ title, source }) => [title ?? 'document.txt', source?.data ?? '']),
    ),
    tools: new Set(names),
    format: output_config?.format?.schema['title'] as string | undefined,
    length: messages.length,
  };
}

/** What the product itself adds to a turn is not what a person asked. */
function isQuestion({ type, role, text = '' }: Block & { readonly role: string }): boolean {
  return role === 'user' && type === 'text' && !text.trimStart().startsWith('<system');
}

function answered(result: Block, calls: ReadonlyMap<string, Block>): Done {
  const call = calls.get(result.tool_use_id ?? '');
  return {
    name: call?.name ?? '',
    input: call?.input,
    result: textOf(result.content),
    failed: result.is_error === true,
  };
}

function blocksOf(content: unknown): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? (content as Block[]) : [];
}

function textOf(content: unknown): string {
  return blocksOf(content)
    .map(({ text = '' }) => text)
    .join('\n');
}
