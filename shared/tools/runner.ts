import { parseBody } from '../core/parse.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { SessionFiles, type FilesPorts } from '../files/session-files.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import { isTooLong, outputPath, previewOf } from './preview.ts';
import type { Dialer } from './public-fetch.ts';
import { SandboxCalls } from './sandbox-call.ts';
import type { Sandbox, SandboxTool } from './sandbox.ts';
import { SearchFault, type Search } from './search.ts';
import {
  told,
  type ResultBlock,
  type ToolCall,
  type ToolOutcome,
  type ToolRunner,
} from './tools.ts';
import { isToolName, toolset, type ToolName } from './toolset.ts';
import { webFetch } from './web-fetch.ts';
import { isInDomains } from './web-rules.ts';

export interface RunnerPorts extends FilesPorts, MemoryPorts {
  readonly sandbox: Sandbox;
  readonly dialer: Dialer;
  /** Absent where no search can be done; then the model is not offered one either. */
  readonly search?: Search;
}

/** Runs the built-in tools. One for the life of a function: it keeps manifests warm by session. */
export function makeToolRunner(ports: RunnerPorts): ToolRunner & { readonly files: SessionFiles } {
  const files = new SessionFiles(ports);
  const calls = new SandboxCalls(files, ports.sandbox, ports);
  return {
    files,
    run: async (call, signal) => {
      if (!isToolName(call.name)) return told(`There is no tool '${call.name}'.`, true);
      const input = checkedInput(call.name, call.input);
      if (typeof input === 'string') return told(`${call.name}: ${input}`, true);
      if (call.name === 'web_search')
        return await search(ports, call, String(input['query']), signal);
      if (call.name === 'web_fetch') {
        const outcome = await fetchPage(ports, call, String(input['url']), signal);
        return await shorten(files, call, outcome);
      }
      return await calls.run(call.name, call, input, signal);
    },
    foresee: (call) => {
      if (isToolName(call.name) && isInSandbox(call.name)) calls.foresee(call.name, call);
    },
  };
}

function isInSandbox(name: ToolName): name is SandboxTool {
  return name !== 'web_search' && name !== 'web_fetch';
}

/** @returns the input, or a sentence that names the field that is wrong. */
function checkedInput(name: ToolName, input: unknown): Record<string, unknown> | string {
  try {
    return parseBody(toolset[name].input, input ?? null);
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

async function fetchPage(
  ports: RunnerPorts,
  call: ToolCall,
  url: string,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const toMarkdown = async (html: string): Promise<string | undefined> => {
    const reply = await ports.sandbox
      .invoke(
        { ...emptyRequest(call), call: { tool: 'markdown', html: html.slice(0, HTML_CHARS_MAX) } },
        signal,
      )
      .catch(() => undefined);
    const [block] = reply?.content ?? [];
    return reply?.is_error === false && block?.type === 'text' ? block.text : undefined;
  };
  return await webFetch(
    { dialer: ports.dialer, toMarkdown },
    { url, rules: call.web ?? {}, seen: call.seen },
    signal,
  );
}

/** A page's text and its Markdown must both pass Lambda's 6 MB, escaped as JSON. */
const HTML_CHARS_MAX = 1_500_000;

function emptyRequest({ session_id, event_id }: ToolCall) {
  return {
    session_id,
    event_id,
    parts: [],
    upload_url: '',
    mounts: [],
    networking: { type: 'limited' as const, allowed_hosts: [] },
  };
}

async function search(
  ports: RunnerPorts,
  call: ToolCall,
  query: string,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  if (ports.search === undefined) return told('unavailable: no web search is configured.', true);
  const { inference_geo } = call;
  const rules = { ...call.web, ...(inference_geo === undefined ? {} : { inference_geo }) };
  try {
    const { results, usage } = await ports.search.search(query, rules, signal);
    const content = results
      .filter(({ url }) => URL.canParse(url) && isInDomains(rules, new URL(url)))
      .slice(0, limits.search_results_max)
      .map(({ title, url, text }): ResultBlock => ({
        type: 'search_result',
        title,
        source: url,
        content: [{ type: 'text', text: text === '' ? title : text }],
        citations: { enabled: true },
      }));
    return content.length === 0
      ? { ...told('No results.', false), usage }
      : { content, is_error: false, usage };
  } catch (error) {
    const used = error instanceof SearchFault ? { usage: error.usage } : {};
    if (signal.aborted) return { ...told('unavailable: the call was interrupted.', true), ...used };
    if (error instanceof Fault) return { ...told(`unavailable: ${error.message}`, true), ...used };
    throw error;
  }
}

/** Put an output that is too long for the model into a file of the session. */
export async function shorten(
  files: SessionFiles,
  call: ToolCall,
  outcome: ToolOutcome,
): Promise<ToolOutcome> {
  const content: ResultBlock[] = [];
  for (const block of outcome.content) {
    const is_short = block.type !== 'text' || !isTooLong(block.text);
    content.push(
      is_short ? block : { type: 'text', text: await previewed(files, call, block.text) },
    );
  }
  return { ...outcome, content };
}

async function previewed(files: SessionFiles, call: ToolCall, text: string): Promise<string> {
  const { session_id, workspace_id, thread_id, event_id } = call;
  const path = outputPath(event_id);
  const options = { workspace_id, written_by: { thread_id, event_id } };
  try {
    await files.write(session_id, path, Buffer.from(text), options);
  } catch (error) {
    // A full session would fail the whole step, and each repeat of it: a page is only read.
    if (!(error instanceof Fault)) throw error;
    return previewOf(text, `The rest could not be kept. ${error.message}`);
  }
  return previewOf(text, `The whole is in ${path}.`);
}
