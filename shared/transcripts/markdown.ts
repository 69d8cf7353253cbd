import type {
  BetaManagedAgentsDocumentBlock,
  BetaManagedAgentsImageBlock,
  BetaManagedAgentsRedactedBlock,
  BetaManagedAgentsSearchResultBlock,
  BetaManagedAgentsTextBlock,
} from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import type { SessionEvent } from '../events/event.ts';
import type { Session } from '../sessions/show-session.ts';
import { fenced, plain } from './fence.ts';

type Block =
  | BetaManagedAgentsTextBlock
  | BetaManagedAgentsImageBlock
  | BetaManagedAgentsDocumentBlock
  | BetaManagedAgentsSearchResultBlock
  | BetaManagedAgentsRedactedBlock;

/** The head of a transcript: what the session is, and what it has cost so far. */
export function titleMarkdown(session: Session): string {
  const { agent, usage } = session;
  const facts = [
    `Session \`${session.id}\`, ${session.status}`,
    `Agent ${plain(agent.name)} (\`${agent.id}\`, version ${agent.version}), model ${plain(agent.model.id)}`,
    `Created ${session.created_at}`,
    `Used so far: ${usageText(usage)}`,
  ];
  const title = plain(session.title ?? '') || 'Session';
  return `# ${title}\n\n${facts.map((fact) => `- ${fact}\n`).join('')}`;
}

export function threadMarkdown(thread: { thread_id: string; agent_name: string }): string {
  return `\n## ${plain(thread.agent_name)} (\`${thread.thread_id}\`)\n`;
}

/** What a reader sees of an event. */
interface Section {
  readonly heading: string;
  readonly body: string;
}

type Sections = {
  readonly [T in SessionEvent['type']]?: (
    event: Extract<SessionEvent, { readonly type: T }>,
  ) => Section | undefined;
};

/** What says nothing to a reader, or what another event beside it says as well. */
const silent = (): undefined => undefined;

const sections: Sections = {
  'user.message': ({ content }) => said('User', content),
  'system.message': ({ content }) => said('System', content),
  'agent.message': ({ content }) => said('Agent', content),
  'agent.tool_use': called,
  'agent.custom_tool_use': called,
  'agent.mcp_tool_use': called,
  'agent.tool_result': (event) => answered(event.tool_use_id, event),
  'user.tool_result': (event) => answered(event.tool_use_id, event),
  'agent.mcp_tool_result': (event) => answered(event.mcp_tool_use_id, event),
  'user.custom_tool_result': (event) => answered(event.custom_tool_use_id, event),
  'session.error': ({ error }) => ({
    heading: `Error: ${plain(error.type)}`,
    body: fenced('text', error.message),
  }),
  'session.usage': ({ usage }) => ({
    heading: 'Cost of the session so far',
    body: `${usageText(usage)}\n`,
  }),
  'session.thread_status_idle': ({ stop_reason }) => ({
    heading: `Stopped: ${plain(stop_reason.type)}`,
    body: '',
  }),
  'span.model_request_end': ({ model_usage, is_error }) => ({
    heading: is_error === true ? 'Failed model request' : 'Model request',
    body: `${tokensText(model_usage)}\n`,
  }),
  'agent.thinking': silent,
  'session.status_idle': silent,
  'session.status_running': silent,
  'session.status_rescheduled': silent,
  'session.thread_status_running': silent,
  'session.thread_status_rescheduled': silent,
  'session.thread_status_terminated': silent,
  'span.model_request_start': silent,
};

/** An event as a section of its own, or nothing where a reader would learn nothing from it. */
export function eventMarkdown(event: SessionEvent): string {
  // The table's line for a type takes just the events of that type.
  const show = sections[event.type] as ((event: SessionEvent) => Section | undefined) | undefined;
  const section = show === undefined ? asItIs(event) : show(event);
  if (section === undefined) return '';
  const at = ('processed_at' in event && event.processed_at) || '';
  return `\n### ${section.heading} · ${at}\n\n${section.body}`;
}

/** Whatever has no form of its own, as the API has it. */
function asItIs(event: SessionEvent): Section {
  const { id, type, processed_at: _, ...rest } = event as SessionEvent & { processed_at?: string };
  const empty = Object.keys(rest).length === 0;
  const body = empty ? '' : shortened('json', JSON.stringify(rest, null, 2), id);
  return { heading: plain(type), body };
}

function said(who: string, content: readonly Block[]): Section {
  const blocks = content.map((block) => blockMarkdown(block, 'markdown'));
  return { heading: who, body: blocks.join('\n') };
}

/** What the calls of all kinds of tools have in common. */
interface Called {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

function called({ id, name, input }: Called): Section {
  const body = fenced('json', JSON.stringify(input, null, 2));
  return { heading: `Call of ${plain(name)} (\`${id}\`)`, body };
}

interface Answered {
  readonly id: string;
  readonly content?: readonly Block[];
  readonly is_error?: boolean | null;
}

function answered(call_id: string, { id, content, is_error }: Answered): Section {
  const what = is_error === true ? 'Failed result' : 'Result';
  return { heading: `${what} of \`${call_id}\``, body: resultMarkdown(content ?? [], id) };
}

function resultMarkdown(content: readonly Block[], event_id: string): string {
  if (content.length === 0) return 'Nothing.\n';
  return content
    .map((block) =>
      block.type === 'text'
        ? shortened('text', block.text, event_id)
        : blockMarkdown(block, 'text'),
    )
    .join('\n');
}

function blockMarkdown(block: Block, language: string): string {
  switch (block.type) {
    case 'text':
      return fenced(language, block.text);
    case 'image':
      return `Image: ${sourceText(block.source)}\n`;
    case 'document':
      return `Document ${plain(block.title ?? '')}: ${sourceText(block.source)}\n`;
    case 'search_result': {
      const text = block.content.map((part) => part.text).join('\n');
      return `${plain(block.title)}, ${plain(block.source)}\n\n${fenced('text', text)}`;
    }
    case 'redacted':
      return 'Redacted.\n';
  }
}

type Source = (BetaManagedAgentsImageBlock | BetaManagedAgentsDocumentBlock)['source'];

function sourceText(source: Source): string {
  switch (source.type) {
    case 'base64':
      return `${plain(source.media_type)}, ${Math.floor((source.data.length * 3) / 4)} bytes`;
    case 'text':
      return `${plain(source.media_type)}\n\n${fenced('text', source.data)}`.trimEnd();
    case 'url':
      return plain(source.url);
    case 'file':
      return `file ${plain(source.file_id)}`;
  }
}

/** Text up to a bound, and where the whole of it is. */
function shortened(language: string, text: string, event_id: string): string {
  const bound = limits.transcript_result_chars_max;
  if (text.length <= bound) return fenced(language, text);
  const shown = upToUnits(text, bound);
  const left = text.length - shown.length;
  return `${fenced(language, shown)}\n${left} more characters in event \`${event_id}\`.\n`;
}

/** What spans, sums of events and sums of sessions have in common. */
type Tokens = Partial<
  Record<
    'input_tokens' | 'output_tokens' | 'cache_read_input_tokens' | 'active_seconds',
    number | undefined
  >
> & {
  readonly list_cost?: { readonly amount: string; readonly currency: string } | null | undefined;
};

function tokensText(usage: Tokens): string {
  const { input_tokens = 0, output_tokens = 0, cache_read_input_tokens = 0 } = usage;
  return `${input_tokens} tokens in, ${cache_read_input_tokens} from the cache, ${output_tokens} out`;
}

function usageText(usage: Tokens): string {
  const { list_cost, active_seconds = 0 } = usage;
  const dollars = (Number(list_cost?.amount) / 100).toFixed(2);
  const cost = list_cost ? `${dollars} ${list_cost.currency}` : 'cost unknown';
  return `${cost}, ${tokensText(usage)}, ${active_seconds} s active`;
}
