import type { Anthropic } from '@anthropic-ai/sdk';
import type { Page } from '../core/page.ts';
import type { PlaybookUse } from '../playbooks/list-uses.ts';

export interface PlaybookUseListParams {
  /** 1 to 100. @default 20 */
  readonly limit?: number;
  readonly page?: string | null;
}

/** What of earlier sessions a session was offered and has read: `/v1/reverie/sessions/…/playbook_uses`. */
export class PlaybookUses {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** One page of a session's playbooks, by store and memory. */
  async list(session_id: string, query: PlaybookUseListParams = {}): Promise<Page<PlaybookUse>> {
    const path = `/v1/reverie/sessions/${encodeURIComponent(session_id)}/playbook_uses`;
    return await this.#client.get(path, { query: { ...query } });
  }
}
