import type { Anthropic } from '@anthropic-ai/sdk';
import type { OutcomeModel, Weight } from '../outcome-models/outcome-model.ts';
import type { OutcomeReport } from '../outcome-reports/report.ts';
import { withOptions, type CallOptions } from './call-options.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';

export interface ModelItemParams {
  /** @default - that of the same text in the version before, else a new one */
  readonly id?: string;
  readonly text: string;
}

export interface OutcomeModelParams {
  readonly success_criteria: readonly (ModelItemParams & {
    /** @default must */
    readonly weight?: Weight;
  })[];
  readonly failure_modes?: readonly ModelItemParams[];
  readonly signals?: readonly ModelItemParams[];
  /** Whether reports are made. @default true */
  readonly report?: boolean;
  /** The version that must stand now; 0: there must be none. @default - the last write wins */
  readonly version?: number;
}

/** What an agent's sessions are reported on by: `/v1/reverie/agents/{agent_id}/outcome_model`. */
export class OutcomeModels {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** Give the agent this whole model: a new version, unless it is the same. */
  async put(
    agent_id: string,
    body: OutcomeModelParams,
    options: CallOptions = {},
  ): Promise<OutcomeModel> {
    return await this.#client.post(pathOf(agent_id), { body, ...withOptions(options) });
  }

  /** @param query.version @default - the newest */
  async retrieve(
    agent_id: string,
    query: { readonly version?: number } = {},
  ): Promise<OutcomeModel> {
    return await this.#client.get(pathOf(agent_id), { query: { ...query } });
  }

  /** Newest first. */
  versions(agent_id: string, query: PageParams = {}): Pages<OutcomeModel> {
    return pagesOf(this.#client, `${pathOf(agent_id)}/versions`, query);
  }

  /** No more reports, for good; versions and reports stay. */
  async delete(agent_id: string): Promise<OutcomeModel> {
    return await this.#client.delete(pathOf(agent_id));
  }
}

/** What was reported on a session: `/v1/reverie/sessions/{session_id}/outcome_reports`. */
export class OutcomeReports {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** Newest first; one that is being made is `pending`. */
  list(session_id: string, query: PageParams = {}): Pages<OutcomeReport> {
    return pagesOf(this.#client, reportsOf(session_id), query);
  }

  async retrieve(session_id: string, report_id: string): Promise<OutcomeReport> {
    return await this.#client.get(`${reportsOf(session_id)}/${encodeURIComponent(report_id)}`);
  }
}

function pathOf(agent_id: string): string {
  return `/v1/reverie/agents/${encodeURIComponent(agent_id)}/outcome_model`;
}

function reportsOf(session_id: string): string {
  return `/v1/reverie/sessions/${encodeURIComponent(session_id)}/outcome_reports`;
}
