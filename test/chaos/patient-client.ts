import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { APIConnectionError, APIError, type Anthropic } from '@anthropic-ai/sdk';

const PAUSE_MS = 100;
const PATIENCE_MS = 120_000;

/** Options of the SDK's requests that make a POST safe to repeat. */
export interface Once {
  readonly headers: { readonly 'idempotency-key': string };
}

/** A client that asks again until it is answered, always with the same key: so each POST is done once. */
export class PatientClient {
  readonly #ask: () => Anthropic;
  /** How often was asked again, by what was answered. */
  readonly repeats: Record<string, number> = {};

  constructor(ask: () => Anthropic) {
    this.#ask = ask;
  }

  /** @throws what the API says when asking again would not help */
  async do<T>(work: (client: Anthropic, once: Once) => Promise<T>): Promise<T> {
    const once: Once = { headers: { 'idempotency-key': randomUUID() } };
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await work(this.#ask(), once);
      } catch (error) {
        const why = passing(error);
        if (why === undefined || performance.now() > until) throw error;
        this.repeats[why] = (this.repeats[why] ?? 0) + 1;
      }
      await sleep(PAUSE_MS);
    }
  }
}

/** What passes by itself; undefined for what does not. */
function passing(error: unknown): string | undefined {
  if (error instanceof APIConnectionError) return 'no answer';
  if (error instanceof APIError && typeof error.status === 'number') {
    const { status } = error;
    if (status === 429 || status >= 500) return String(status);
    return undefined;
  }
  // A body that breaks off in the middle.
  if (error instanceof TypeError && /terminated|fetch failed/.test(error.message)) return 'cut';
  return error instanceof SyntaxError ? 'cut' : undefined;
}

interface Page<T> {
  readonly data: readonly T[];
  readonly next_page?: string | null;
}

/** What all pages of a list hold. */
export async function everyOf<T>(
  ask: (query: { readonly page?: string }) => Promise<Page<T>>,
): Promise<T[]> {
  const all: T[] = [];
  let page: string | null | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one is
    const got = await ask(page == null ? {} : { page });
    all.push(...got.data);
    page = got.next_page;
  } while (page != null);
  return all;
}
