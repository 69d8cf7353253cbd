/** What the AWS SDK asks of a logger. */
type AwsLogger = Record<'trace' | 'debug' | 'info' | 'warn' | 'error', () => void>;

const nothing = (): void => undefined;

/**
 * For every AWS client: a logger without `info` and `error`. The SDK's default one does nothing
 * either, but it has them, and so each request and answer is copied and searched for secrets on its
 * behalf. The other three are called without asking whether they are there.
 */
export const mute = { trace: nothing, debug: nothing, warn: nothing } as AwsLogger;

/**
 * Settings of every AWS client that makes short calls. The SDK waits for an answer without end: one
 * hung socket would hold a step for fifteen minutes, and all streams of a process.
 */
export const awsDefaults = {
  logger: mute,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    // Without it a time-out is only a warning.
    throwOnRequestTimeout: true,
  },
};
