import type { Clock } from './clock.ts';

/** A secret that is kept outside of us. */
export interface Secret {
  read(): Promise<string>;
}

/**
 * A secret that is read again after a while, so that its rotation takes effect in every container
 * without a deploy. A failed read is not remembered, and an old value is never used beyond its
 * time: a store that is down must not keep a revoked key alive.
 */
export function cachedSecret(secret: Secret, clock: Clock, ms: number): Secret {
  let read_at = -Infinity;
  let value: Promise<string> | undefined;
  return {
    read() {
      const now = clock.now().getTime();
      if (value === undefined || now - read_at >= ms) {
        read_at = now;
        value = secret.read().catch((error: unknown) => {
          value = undefined;
          throw error;
        });
      }
      return value;
    },
  };
}
