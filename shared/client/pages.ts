import type { Anthropic } from '@anthropic-ai/sdk';
import { PageCursor, type PagePromise } from '@anthropic-ai/sdk/core/pagination';

/** A list as the official client has them: awaited it is one page, iterated it is all of them. */
export type Pages<Item> = PagePromise<PageCursor<Item>, Item>;

/** Which page of a list, and how much of it. */
export interface PageParams {
  /** 1 to 100. @default 20 */
  readonly limit?: number;
  /** `next_page` of the page before. @default - the first */
  readonly page?: string | null;
}

export function pagesOf<Item>(client: Anthropic, path: string, query: object): Pages<Item> {
  return client.getAPIList(path, PageCursor<Item>, { query: { ...query } });
}
