import type { Anthropic } from '@anthropic-ai/sdk';
import type { VerdictView } from '../outcomes/show-verdict.ts';
import type { VerdictComparison, VerdictSummary } from '../outcomes/summarise-verdicts.ts';
import type { VerdictKind } from '../outcomes/verdict-row.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';

export interface EvaluationListParams extends PageParams {
  /** By time. @default 'asc' */
  readonly order?: 'asc' | 'desc';
}

/** Which verdicts of an agent; times are RFC 3339. */
export interface VerdictRange {
  readonly agent_version?: number;
  readonly kind?: VerdictKind;
  readonly created_at?: {
    readonly gt?: string;
    readonly gte?: string;
    readonly lt?: string;
    readonly lte?: string;
  };
}

export interface VerdictListParams extends VerdictRange, PageParams {
  /** By time. @default 'desc' */
  readonly order?: 'asc' | 'desc';
  readonly result?: VerdictView['result'];
  readonly session_id?: string;
}

/** What graders have found: `/v1/reverie/sessions/…/outcome_evaluations` and `/v1/reverie/agents/…/verdicts`. */
export class Verdicts {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /** A session's evaluations that have a verdict. */
  ofSession(session_id: string, query: EvaluationListParams = {}): Pages<VerdictView> {
    return pagesOf(this.#client, evaluationsOf(session_id), query);
  }

  /**
   * What a grader was asked, said and was told, a line of JSON each.
   * @returns the response, whose `body` is a stream
   */
  async transcript(session_id: string, evaluation_id: string): Promise<Response> {
    const path = `${evaluationsOf(session_id)}/${encodeURIComponent(evaluation_id)}/transcript`;
    return await this.#client.get(path).asResponse();
  }

  /** An agent's verdicts. */
  list(agent_id: string, query: VerdictListParams = {}): Pages<VerdictView> {
    return pagesOf(this.#client, verdictsOf(agent_id), query);
  }

  /** What an agent's verdicts come to; `next_page` leads to the summary of older ones. */
  async summary(
    agent_id: string,
    query: VerdictRange & { readonly page?: string | null } = {},
  ): Promise<VerdictSummary> {
    return await this.#client.get(`${verdictsOf(agent_id)}/summary`, { query: { ...query } });
  }

  /** The same before and after a time: of a new version, of a dream. */
  async compare(
    agent_id: string,
    query: VerdictRange & { readonly split_at: string },
  ): Promise<VerdictComparison> {
    return await this.#client.get(`${verdictsOf(agent_id)}/summary`, { query: { ...query } });
  }
}

function evaluationsOf(session_id: string): string {
  return `/v1/reverie/sessions/${encodeURIComponent(session_id)}/outcome_evaluations`;
}

function verdictsOf(agent_id: string): string {
  return `/v1/reverie/agents/${encodeURIComponent(agent_id)}/verdicts`;
}
