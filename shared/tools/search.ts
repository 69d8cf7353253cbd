import { Fault } from '../core/fault.ts';
import type { RequestUsage } from '../models/model.ts';
import type { WebRules } from './web-rules.ts';

/** What a call used up beyond time: searches, and tokens of a model that helped. */
export interface ToolUsage extends Partial<RequestUsage> {
  /** The model that helped; its tokens are charged at its price. */
  readonly model_id?: string;
}

export interface SearchResult {
  readonly title: string;
  readonly url: string;
  /** What the page says about it, in plain text. */
  readonly text: string;
}

/** A search that could not be done, or was stopped, and what it has used all the same. */
export class SearchFault extends Fault {
  readonly usage: ToolUsage;

  constructor(message: string, usage: ToolUsage, options?: ErrorOptions) {
    super('upstream', message, options);
    this.usage = usage;
  }
}

/** An agent's configuration of web_search, and where its requests may be worked on. */
export interface SearchRules extends WebRules {
  /** The agent's own; a model that helps is asked there, too. @default - anywhere */
  readonly inference_geo?: string;
}

/**
 * A web search. By the provider's own server tool (shared/models/search.ts) or a configured search
 * API ({@link apiSearch}).
 */
export interface Search {
  /**
   * @throws Fault `upstream` when the search could not be done: the model is told so.
   */
  search(
    query: string,
    rules: SearchRules,
    signal: AbortSignal,
  ): Promise<{
    readonly results: readonly SearchResult[];
    readonly usage: ToolUsage;
  }>;
}
