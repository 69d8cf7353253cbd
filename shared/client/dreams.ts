import type { Anthropic } from '@anthropic-ai/sdk';
import type { DreamReport } from '../dreams/report.ts';
import type { AllAccepted } from '../reviews/decide.ts';
import type { Decision } from '../reviews/review-wire.ts';
import type { ChangeState, DreamApply, DreamChange } from '../reviews/show-review.ts';
import { withOptions, type CallOptions } from './call-options.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';

export interface ChangeListParams extends PageParams {
  /** @default - all */
  readonly state?: ChangeState;
}

/** What an operator does with a dream: `/v1/reverie/dreams`. */
export class Dreams {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** Everything that a dream did, with diffs, evidence, what was dropped, and what it cost. */
  async report(id: string): Promise<DreamReport> {
    return await this.#client.get(`${pathOf(id)}/report`);
  }

  /** The same as Markdown, for people. @returns the response, whose `body` is a stream */
  async reportMarkdown(id: string): Promise<Response> {
    const query = { format: 'markdown' };
    return await this.#client.get(`${pathOf(id)}/report`, { query }).asResponse();
  }

  /** What the dream proposes, in the order of its operations. */
  changes(id: string, query: ChangeListParams = {}): Pages<DreamChange> {
    return pagesOf(this.#client, `${pathOf(id)}/changes`, query);
  }

  /**
   * Accept or reject a change, or accept it with a text of one's own. What others have changed since the
   * dream is a conflict of its apply, and stays; `replaces_memory_version_ids` names the versions that it
   * may replace all the same: those of all its `conflicts`, once they were read. A newer one is a conflict again.
   */
  async decide(
    id: string,
    change_id: string,
    body: Decision,
    options: CallOptions = {},
  ): Promise<DreamChange> {
    const path = `${pathOf(id)}/changes/${encodeURIComponent(change_id)}`;
    return await this.#client.post(path, { body, ...withOptions(options) });
  }

  /** Accept every change on which nobody has decided. */
  async acceptAll(id: string): Promise<AllAccepted> {
    return await this.#client.post(`${pathOf(id)}/changes/accept_all`);
  }

  /**
   * Write the accepted changes into a store, in as many requests as that takes. May be repeated: no
   * change is written twice.
   */
  async apply(id: string, body: { readonly memory_store_id: string }): Promise<DreamApply> {
    return await whole(async () => await this.#client.post(`${pathOf(id)}/apply`, { body }));
  }

  /** What was written from this dream, the newest first. */
  applies(id: string, query: PageParams = {}): Pages<DreamApply> {
    return pagesOf(this.#client, `${pathOf(id)}/applies`, query);
  }

  /** Take an apply back, wherever nobody has touched what it wrote. May be repeated. */
  async rollBack(id: string, apply_id: string): Promise<DreamApply> {
    const path = `${pathOf(id)}/applies/${encodeURIComponent(apply_id)}/rollback`;
    return await whole(async () => await this.#client.post(path));
  }
}

/** Repeat a request that goes on where the one before has stopped. */
async function whole(request: () => Promise<DreamApply>): Promise<DreamApply> {
  let apply = await request();
  while (apply.remaining_count > 0) apply = await request();
  return apply;
}

function pathOf(id: string): string {
  return `/v1/reverie/dreams/${encodeURIComponent(id)}`;
}
