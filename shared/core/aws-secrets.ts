import { AwsJson } from './aws-json.ts';
import type { AwsPlace } from './aws-caller.ts';
import { systemClock, type Clock } from './clock.ts';
import { limits } from './limits.ts';
import type { Secrets } from './secrets.ts';

/** Secrets Manager behind a cache of minutes: one call a container, not one a request. */
export class AwsSecrets implements Secrets {
  readonly #client: AwsJson;
  readonly #clock: Clock;
  readonly #cache = new Map<string, { text: Promise<string>; until_ms: number }>();

  constructor(place?: AwsPlace, clock: Clock = systemClock) {
    this.#client = new AwsJson('secretsmanager', place);
    this.#clock = clock;
  }

  read(arn: string): Promise<string> {
    const cached = this.#cache.get(arn);
    if (cached !== undefined && cached.until_ms > this.#clock.now().getTime()) return cached.text;
    return this.readFresh(arn);
  }

  readFresh(arn: string): Promise<string> {
    const text = this.#fetch(arn);
    const until_ms = this.#clock.now().getTime() + limits.secret_cache_ms;
    const entry = { text, until_ms };
    this.#cache.set(arn, entry);
    // A failure is not cached: the next reader asks again.
    text.catch(() => {
      if (this.#cache.get(arn) === entry) this.#cache.delete(arn);
    });
    return text;
  }

  async #fetch(arn: string): Promise<string> {
    const { SecretString } = await this.#client.call<{ SecretString?: string }>('GetSecretValue', {
      SecretId: arn,
    });
    if (SecretString === undefined) throw new Error(`the secret ${arn} holds no text`);
    return SecretString;
  }
}
