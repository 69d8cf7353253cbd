import type { Anthropic } from '@anthropic-ai/sdk';

export interface TranscriptParams {
  /** `jsonl`: an event a line, as the API lists them. `markdown`: to be read. @default jsonl */
  readonly format?: 'jsonl' | 'markdown';
  /** @default - all threads, the primary one first */
  readonly thread_id?: string;
}

export class Transcripts {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /**
   * Everything that a session's log says at this moment.
   * @returns the response, whose `body` is a stream; a transcript may be larger than memory
   */
  async read(session_id: string, query: TranscriptParams = {}): Promise<Response> {
    const path = `/v1/reverie/sessions/${encodeURIComponent(session_id)}/transcript`;
    return await this.#client.get(path, { query: { ...query } }).asResponse();
  }
}
