/** What the AWS SDK asks of a logger. */
type AwsLogger = Record<'trace' | 'debug' | 'info' | 'warn' | 'error', () => void>;

const nothing = (): void => undefined;

/**
 * A logger without `info` and `error`. The SDK's default one does nothing either, but it has them, and
 * so each request and answer is copied and searched for secrets on its behalf. The other three are
 * called without asking whether they are there.
 */
const mute = { trace: nothing, debug: nothing, warn: nothing } as AwsLogger;

/**
 * For every AWS client. The thirty steps of a request are put in their order once for each kind of
 * request, not anew for each: none of ours changes them on the way.
 */
export const quick = { logger: mute, cacheMiddleware: true };

/**
 * Lambda allows 1,024 open files. The SDK's own bound is 50 sockets, and it takes the time a request waits
 * for one of them for time to connect: more than 50 slow calls at once would end as lost connections.
 */
const agent = { maxSockets: 400 };

/**
 * Settings of every AWS client that makes short calls. The SDK waits for an answer without end: one
 * hung socket would hold a step for fifteen minutes, and all streams of a process.
 */
export const awsDefaults = {
  ...quick,
  requestHandler: {
    httpAgent: agent,
    httpsAgent: agent,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    // Without it a time-out is only a warning.
    throwOnRequestTimeout: true,
  },
};
