import type { Anthropic } from '@anthropic-ai/sdk';
import type { PlaybookUse } from '../playbooks/list-uses.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';

/** What of earlier sessions a session was offered and has read: `/v1/reverie/sessions/…/playbook_uses`. */
export class PlaybookUses {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** A session's playbooks, by store and memory. */
  list(session_id: string, query: PageParams = {}): Pages<PlaybookUse> {
    const path = `/v1/reverie/sessions/${encodeURIComponent(session_id)}/playbook_uses`;
    return pagesOf(this.#client, path, query);
  }
}
