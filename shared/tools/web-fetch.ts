import { sniffed } from '../api-files/sniffed.ts';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { publicFetch, RequestRefused, type Dialer, type PublicResponse } from './public-fetch.ts';
import { told, type ToolOutcome } from './tools.ts';
import { isFromSources, isInDomains, type SeenText, type WebRules } from './web-rules.ts';

export interface WebFetchPorts {
  readonly dialer: Dialer;
  /** Undefined when the page could not be read. */
  readonly toMarkdown: (html: string, signal: AbortSignal) => Promise<string | undefined>;
}

export interface WebFetchCall {
  readonly url: string;
  readonly rules: WebRules;
  readonly seen: SeenText | undefined;
}

/** A token of English text has about so many characters. */
const CHARS_PER_TOKEN = 4;

/** Fetch a page for the model. Every failure is an outcome; the first word of it names its kind. */
export async function webFetch(
  ports: WebFetchPorts,
  { url: address, rules, seen }: WebFetchCall,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') {
    return told('invalid_input: give an absolute http or https URL without a user name.', true);
  }
  if (!isFromSources(rules, url, seen)) {
    return told(
      `url_not_allowed: ${url.href} has not been shown in this conversation by an allowed source.`,
      true,
    );
  }
  try {
    const answer = await publicFetch(ports.dialer, address, {
      method: 'GET',
      headers: { accept: 'text/markdown, text/html;q=0.9, */*;q=0.5', 'user-agent': 'Reverie/1.0' },
      redirects_max: limits.fetch_redirects_max,
      body_bytes_max: limits.fetch_body_bytes_max,
      timeout_ms: limits.fetch_timeout_ms,
      signal,
      allow: (hop) => {
        if (isInDomains(rules, hop)) return;
        throw new RequestRefused(`The domain of ${hop.href} is not allowed for this agent.`);
      },
    });
    if (answer.status >= 400)
      return told(`url_not_accessible: the host answered ${answer.status}.`, true);
    return await outcomeOf(ports, answer, rules, signal);
  } catch (error) {
    if (signal.aborted) return told('unavailable: the call was interrupted.', true);
    const kind = error instanceof RequestRefused ? 'url_not_allowed' : 'url_not_accessible';
    return told(
      `${kind}: ${error instanceof Error ? error.message : 'the page could not be fetched.'}`,
      true,
    );
  }
}

async function outcomeOf(
  ports: WebFetchPorts,
  answer: PublicResponse,
  rules: WebRules,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const [media_type = '', ...parameters] = (answer.headers['content-type'] ?? 'text/plain')
    .toLowerCase()
    .split(';');
  const type = media_type.trim();
  if (type === 'application/pdf' || imageTypes.has(type)) return media(answer, type);
  if (!isText(type)) return told(`unsupported_content_type: ${type} cannot be shown.`, true);
  const text = decode(answer.body, parameters.join(';'));
  const shown = isHtml(type) ? await ports.toMarkdown(text, signal) : text;
  if (shown === undefined) return told('unavailable: the page could not be read.', true);
  const chars_max = (rules.max_content_tokens ?? Infinity) * CHARS_PER_TOKEN;
  const cut = shown.length > chars_max ? `${upToUnits(shown, chars_max)}\n\n[cut here]` : shown;
  return told(`${answer.url}\n\n${cut}`, false);
}

const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** By its content: an image of another type than the host says is one all the same. */
function media({ body, url }: PublicResponse, said: string): ToolOutcome {
  const media_type = sniffed(body);
  if (media_type === undefined) {
    return told(`url_not_accessible: the host says ${said}, and its answer is none.`, true);
  }
  if (body.length > limits.read_media_bytes_max) {
    return told(
      `too_large: ${body.length} bytes; at most ${limits.read_media_bytes_max} can be shown.`,
      true,
    );
  }
  const source = {
    type: 'base64' as const,
    media_type,
    data: Buffer.from(body).toString('base64'),
  };
  return {
    content: [
      media_type.startsWith('image/')
        ? { type: 'image', source }
        : { type: 'document', source, title: url },
    ],
    is_error: false,
  };
}

function isHtml(type: string): boolean {
  return type === 'text/html' || type === 'application/xhtml+xml';
}

function isText(type: string): boolean {
  return (
    type.startsWith('text/') || /[/+](json|xml|yaml|javascript|ndjson|x-ndjson|toml)$/.test(type)
  );
}

function decode(body: Uint8Array, parameters: string): string {
  const charset = /charset="?([\w-]+)/.exec(parameters)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    // A name that nobody knows.
    return new TextDecoder().decode(body);
  }
}
