import type {
  BetaManagedAgentsUserLocation,
  BetaManagedAgentsWebFetchURLSources,
} from '@anthropic-ai/sdk/resources/beta/agents/agents';

/** What an agent's configuration of web_fetch or web_search says. */
export interface WebRules {
  readonly allowed_domains?: readonly string[];
  readonly blocked_domains?: readonly string[];
  /** Null and absent: every URL, wherever it comes from. */
  readonly url_sources?: BetaManagedAgentsWebFetchURLSources | null;
  readonly max_content_tokens?: number | null;
  /** For web_search: about where what is found should be of use. */
  readonly user_location?: BetaManagedAgentsUserLocation | null;
}

/** Texts whose URLs web_fetch may fetch, where the agent's `url_sources` limits it to them. */
export interface SeenText {
  readonly user_input: readonly string[];
  /** Results of custom tools and of web_search and web_fetch, by the tool's name. */
  readonly client_tool_results: readonly { readonly tool: string; readonly text: string }[];
  readonly server_tool_results: readonly { readonly tool: string; readonly text: string }[];
}

/**
 * Whether an address is inside an agent's domain rules. A domain stands for itself and all below it;
 * an entry of web_search may go on with a path.
 */
export function isInDomains(rules: WebRules, url: URL): boolean {
  const { allowed_domains, blocked_domains } = rules;
  if (blocked_domains?.some((domain) => isUnder(url, domain)) === true) return false;
  return allowed_domains === undefined || allowed_domains.some((domain) => isUnder(url, domain));
}

function isUnder(url: URL, entry: string): boolean {
  const [domain = '', ...path] = entry.toLowerCase().split('/');
  const host = url.hostname.toLowerCase().replace(/\.+$/, '');
  if (host !== domain && !host.endsWith(`.${domain}`)) return false;
  const prefix = `/${path.join('/')}`.replace(/\/$/, '');
  const actual = url.pathname.toLowerCase();
  return prefix === '' || actual === prefix || actual.startsWith(`${prefix}/`);
}

/**
 * Whether an address may be fetched by the rule of `url_sources`: with it, only addresses that the
 * named sources have shown; without it, every address.
 */
export function isFromSources(rules: WebRules, url: URL, seen: SeenText | undefined): boolean {
  const sources = rules.url_sources;
  if (sources === undefined || sources === null) return true;
  if (seen === undefined) return false;
  const texts = [
    ...(sources.user_input?.type === 'none' ? [] : seen.user_input),
    ...textsOf(sources.client_tool_results, seen.client_tool_results),
    ...textsOf(sources.server_tool_results, seen.server_tool_results),
  ];
  const wanted = formOf(url);
  return texts.some((text) => urlsIn(text).some((found) => formOf(found) === wanted));
}

type Filter = BetaManagedAgentsWebFetchURLSources['client_tool_results'];

function textsOf(filter: Filter, results: SeenText['client_tool_results']): string[] {
  const is_allowed = (tool: string): boolean => {
    if (filter === null || filter.type === 'all') return true;
    if (filter.type === 'none') return false;
    return filter.tools.some(({ name }) => name === tool) === (filter.type === 'only');
  };
  return results.filter(({ tool }) => is_allowed(tool)).map(({ text }) => text);
}

/** Addresses in a text, also those in Markdown or at a sentence's end. */
export function urlsIn(text: string): URL[] {
  const found = text.match(/https?:\/\/[^\s<>"'`\\^{|}]{1,2048}/gi) ?? [];
  return found
    .flatMap((raw) => [raw, raw.split(WIDE, 1)[0] ?? raw])
    .flatMap((shown) => {
      const bare = withoutEnd(shown);
      // Inside of a Markdown link, the address ends before the first closing parenthesis.
      const inner = bare.split(')', 1)[0] ?? bare;
      return [shown, bare, inner].flatMap((one) => URL.parse(one) ?? []);
    });
}

/** Punctuation and brackets of scripts that put no space behind an address. */
const WIDE =
  /[\u2018-\u201f\u2026\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]/u;

/** Without a sentence's punctuation, and without closing parentheses that were not opened in it. */
function withoutEnd(raw: string): string {
  let end = raw.length;
  let surplus = raw.split(')').length - raw.split('(').length;
  for (; end > 0; end--) {
    const char = raw.charAt(end - 1);
    if (char === ')' && surplus > 0) surplus -= 1;
    else if (!'.,;:!?*_]'.includes(char)) break;
  }
  return raw.slice(0, end);
}

/** One form for addresses that lead to the same page. */
function formOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}${url.search}`;
}
