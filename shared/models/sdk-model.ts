import { APIError } from '@anthropic-ai/sdk/error';
import type {
  BetaRawMessageStreamEvent,
  MessageCreateParamsStreaming,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import { Fold } from './fold.ts';
import {
  aborted,
  cutOff,
  isToldByProvider,
  ModelError,
  toModelError,
  withSpent,
} from './model-error.ts';
import type { Model, ModelPart, ModelRequest } from './model.ts';
import { toParams, withoutThinking, type Dialect } from './params.ts';
import { withoutRefusedMedia } from './refused-media.ts';
import { fetchAwake, watchFetch, type Watch } from './watch-fetch.ts';

interface RequestOptions {
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The part of Anthropic's clients that we use; all three have it. */
export interface MessagesClient {
  readonly beta: {
    readonly messages: {
      create(
        params: MessageCreateParamsStreaming,
        options: RequestOptions,
      ): PromiseLike<AsyncIterable<BetaRawMessageStreamEvent>>;
    };
  };
}

export interface Connection<Client extends MessagesClient = MessagesClient> {
  readonly dialect: Dialect;
  readonly stall_ms: number;
  /** A client that speaks through `fetch`. `fresh`: its key was refused; read it again. */
  readonly connect: (fetch: typeof globalThis.fetch, fresh: boolean) => Promise<Client>;
  /** Headers that this model needs. */
  readonly headers?: (model_id: string) => Readonly<Record<string, string>>;
}

type Events = AsyncIterable<BetaRawMessageStreamEvent>;

/** The model port over any of Anthropic's SDKs: same wire, other doors. */
export class SdkModel implements Model {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const watch: Watch = { failure: undefined, sent: new Set() };
    const fold = new Fold();
    try {
      for await (const event of await this.#open(request, watch, signal)) {
        const part = fold.take(event);
        if (part !== undefined) yield part;
      }
    } catch (cause) {
      const failure = watch.failure ?? toModelError(cause, watch.sent);
      throw isToldByProvider(cause) ? failure : withSpent(failure, fold.spent);
    }
    // The SDK ends the loop without a word when the request was aborted, by us or by the watch.
    if (fold.reply === undefined) {
      throw withSpent(signal.aborted ? aborted() : (watch.failure ?? cutOff()), fold.spent);
    }
    yield { type: 'done', message: fold.reply };
  }

  /**
   * Repeats only what changes by itself, a rotated key, and what can be asked without a part of it:
   * thoughts that no longer belong here, pictures that the provider will not look at.
   */
  async #open(request: ModelRequest, watch: Watch, signal: AbortSignal): Promise<Events> {
    let params = toParams(request, this.#connection.dialect);
    for (let fresh = false; ;) {
      try {
        return await this.#send(params, request, { watch, signal, fresh });
      } catch (error) {
        const less = lessOf(params, error, request);
        if (less === undefined && (fresh || !isKeyRefused(error))) throw error;
        fresh ||= less === undefined;
        params = less ?? params;
      }
    }
  }

  async #send(
    params: MessageCreateParamsStreaming,
    { model }: ModelRequest,
    { watch, signal, fresh }: { watch: Watch; signal: AbortSignal; fresh: boolean },
  ): Promise<Events> {
    const { connect, headers, stall_ms } = this.#connection;
    const client = await connect(watchFetch(stall_ms, watch, fetchAwake), fresh);
    const options = headers === undefined ? { signal } : { signal, headers: headers(model.id) };
    return await client.beta.messages.create(params, options);
  }
}

/** Or the secret had none: it may have been put there since it was read. */
function isKeyRefused(error: unknown): boolean {
  return error instanceof ModelError || (error instanceof APIError && error.status === 401);
}

/** What can be asked instead; each time less, until there is nothing to leave out. */
function lessOf(
  params: MessageCreateParamsStreaming,
  error: unknown,
  { purpose }: ModelRequest,
): MessageCreateParamsStreaming | undefined {
  if (!(error instanceof APIError)) return undefined;
  if (isForeignThought(error)) return withoutThinking(params);
  // A grader's verdict may rest on a picture: it leaves it out itself, and then knows that it has not seen it.
  return purpose === 'grade' ? undefined : withoutRefusedMedia(params, error);
}

/** The API says so only in words. Source: "Fix a thinking block bound to a different conversation". */
function isForeignThought({ status, apiMessage }: APIError): boolean {
  return status === 400 && /bound to a different conversation/i.test(apiMessage ?? '');
}
