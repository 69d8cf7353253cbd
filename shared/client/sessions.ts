import type { Anthropic } from '@anthropic-ai/sdk';
import type { FileVersionView } from '../traces/file-history.ts';
import type { SessionTrace } from '../traces/trace-wire.ts';
import { pagesOf, type Pages } from './pages.ts';

export interface TraceParams {
  /** @default - all threads of the session */
  readonly thread_id?: string;
}

/** What a session did, told by what it left. */
export class Sessions {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** Which agent did what, in which order, and why. */
  async trace(session_id: string, query: TraceParams = {}): Promise<SessionTrace> {
    return await this.#client.get(`${pathOf(session_id)}/trace`, { query: { ...query } });
  }

  /** Which thread wrote what to a path of the session's files, the newest version first. */
  fileHistory(session_id: string, path: string): Pages<FileVersionView> {
    return pagesOf(this.#client, `${pathOf(session_id)}/files/history`, { path });
  }
}

function pathOf(session_id: string): string {
  return `/v1/reverie/sessions/${encodeURIComponent(session_id)}`;
}
