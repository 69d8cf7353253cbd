/** What the AWS SDK asks of a logger. */
type AwsLogger = Record<'trace' | 'debug' | 'info' | 'warn' | 'error', () => void>;

const nothing = (): void => undefined;

/**
 * For every AWS client: a logger without `info` and `error`. The SDK's default one does nothing
 * either, but it has them, and so each request and answer is copied and searched for secrets on its
 * behalf. The other three are called without asking whether they are there.
 */
export const mute = { trace: nothing, debug: nothing, warn: nothing } as AwsLogger;
