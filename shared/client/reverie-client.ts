import type { Anthropic } from '@anthropic-ai/sdk';
import type { ApiKey, CreatedApiKey } from '../keys/api-key.ts';
import type { Scope } from '../core/call.ts';
import { withOptions, type CallOptions } from './call-options.ts';
import { DreamSchedules } from './dream-schedules.ts';
import { Dreams } from './dreams.ts';
import { Files } from './files.ts';
import { MemoryStores } from './memory-stores.ts';
import { OutcomeModels, OutcomeReports } from './outcome-models.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';
import { PlaybookUses } from './playbook-uses.ts';
import { Sessions } from './sessions.ts';
import { Transcripts } from './transcripts.ts';
import { Verdicts } from './verdicts.ts';

export interface ApiKeyCreateParams {
  readonly name: string;
  /** A `wrkspc_` id. @default - the workspace of the key that calls */
  readonly workspace_id?: string;
  /** @default ['read', 'write'] */
  readonly scopes?: readonly Scope[];
  /** RFC 3339. @default - never */
  readonly expires_at?: string | null;
}

export interface ApiKeyListParams extends PageParams {
  /** @default false */
  readonly include_revoked?: boolean;
}

/**
 * What Reverie has beyond the hosted API, `/v1/reverie/…`, typed. It speaks through the official
 * client, whose base URL, key, retries and error classes it therefore shares.
 */
export class ReverieClient {
  readonly apiKeys: ApiKeys;
  readonly dreamSchedules: DreamSchedules;
  readonly dreams: Dreams;
  readonly files: Files;
  readonly memoryStores: MemoryStores;
  readonly outcomeModels: OutcomeModels;
  readonly outcomeReports: OutcomeReports;
  readonly playbookUses: PlaybookUses;
  readonly sessions: Sessions;
  readonly transcripts: Transcripts;
  readonly verdicts: Verdicts;

  constructor(client: Anthropic) {
    this.apiKeys = new ApiKeys(client);
    this.dreamSchedules = new DreamSchedules(client);
    this.dreams = new Dreams(client);
    this.files = new Files(client);
    this.memoryStores = new MemoryStores(client);
    this.outcomeModels = new OutcomeModels(client);
    this.outcomeReports = new OutcomeReports(client);
    this.playbookUses = new PlaybookUses(client);
    this.sessions = new Sessions(client);
    this.transcripts = new Transcripts(client);
    this.verdicts = new Verdicts(client);
  }
}

class ApiKeys {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** The only answer that has the secret: that to a repeat with the same key has it no more. */
  async create(body: ApiKeyCreateParams, options: CallOptions = {}): Promise<CreatedApiKey> {
    return await this.#client.post('/v1/reverie/api_keys', { body, ...withOptions(options) });
  }

  /** The newest first. */
  list(query: ApiKeyListParams = {}): Pages<ApiKey> {
    return pagesOf(this.#client, '/v1/reverie/api_keys', query);
  }

  async retrieve(id: string): Promise<ApiKey> {
    return await this.#client.get(`/v1/reverie/api_keys/${encodeURIComponent(id)}`);
  }

  /** Its secret opens nothing any more, at the latest seconds later; the record stays. */
  async revoke(id: string): Promise<ApiKey> {
    return await this.#client.delete(`/v1/reverie/api_keys/${encodeURIComponent(id)}`);
  }
}
