import * as z from 'zod';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { publicFetch, type Dialer } from './public-fetch.ts';
import type { Search, SearchResult } from './search.ts';
import { isInDomains, type WebRules } from './web-rules.ts';

/** The secret behind SEARCH_SECRET_ARN. */
export const SearchSecret = z.object({
  api_key: z.string().min(1),
  /** `GET <url>?q=<query>&count=<n>` with the key in `X-Subscription-Token`, as Brave's API has it. */
  url: z.url({ protocol: /^https?$/ }),
});

const Answer = z.object({
  web: z
    .object({
      results: z.array(
        z.object({
          title: z.string(),
          url: z.string(),
          description: z.string().default(''),
          extra_snippets: z.array(z.string()).default([]),
        }),
      ),
    })
    .default({ results: [] }),
});

/** Source: Brave Search API: characters of a query. */
const QUERY_CHARS_MAX = 400;

/**
 * Search by a configured API.
 *
 * @param readSecret Reads the secret; it may cache. Called for each search.
 */
export function apiSearch(
  dialer: Dialer,
  readSecret: () => Promise<z.infer<typeof SearchSecret>>,
): Search {
  return {
    search: async (query, rules, signal) => {
      const { api_key, url } = await readSecret().catch(() => {
        // Neither the parser's message nor its cause: both quote what they read.
        throw new Fault('upstream', 'The search secret cannot be read.');
      });
      const target = new URL(url);
      target.searchParams.set('q', queryWith(query, rules));
      target.searchParams.set('count', String(limits.search_results_max));
      const answer = await publicFetch(dialer, target.href, {
        method: 'GET',
        headers: { accept: 'application/json', 'x-subscription-token': api_key },
        redirects_max: 0,
        body_bytes_max: limits.fetch_body_bytes_max,
        timeout_ms: limits.fetch_timeout_ms,
        signal,
        allow: () => {},
      }).catch((cause: unknown) => {
        throw new Fault('upstream', 'The search could not be reached.', { cause });
      });
      if (answer.status !== 200)
        throw new Fault('upstream', `The search answered ${answer.status}.`);
      return { results: resultsOf(answer.body, rules), usage: { web_search_requests: 1 } };
    },
  };
}

/** Domain rules in the search's own words, as far as the query's length allows. */
function queryWith(
  query: string,
  { allowed_domains = [], blocked_domains = [] }: WebRules,
): string {
  const sites = allowed_domains.map((domain) => `site:${domain}`).join(' OR ');
  const not_sites = blocked_domains.map((domain) => `-site:${domain}`).join(' ');
  const full = [query, sites, not_sites].filter((part) => part !== '').join(' ');
  return full.length <= QUERY_CHARS_MAX ? full : query.slice(0, QUERY_CHARS_MAX);
}

function resultsOf(body: Uint8Array, rules: WebRules): SearchResult[] {
  const parsed = Answer.safeParse(readJson(body));
  if (!parsed.success)
    throw new Fault('upstream', 'The search gave an answer that cannot be read.');
  return parsed.data.web.results
    .filter(({ url }) => isAllowed(url, rules))
    .slice(0, limits.search_results_max)
    .map(({ title, url, description, extra_snippets }) => ({
      title: plain(title),
      url,
      text: [description, ...extra_snippets].map(plain).join('\n'),
    }));
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The search may not know our rules: they are checked again on what it found. */
function isAllowed(address: string, rules: WebRules): boolean {
  const url = URL.parse(address);
  return url !== null && isInDomains(rules, url);
}

/** Search APIs mark words with tags. */
function plain(text: string): string {
  return text.replace(/<\/?(strong|b|em)>/g, '');
}
