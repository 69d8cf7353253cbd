/** What may follow a status of a session, or of a thread. */
const after: Readonly<Record<string, readonly string[]>> = {
  '': ['running', 'idle', 'terminated'],
  running: ['idle', 'rescheduled', 'terminated'],
  rescheduled: ['running', 'idle', 'terminated'],
  idle: ['running', 'terminated'],
  terminated: [],
};

/** Statuses of one thing, in order: each must be one that may follow. */
export function sequenceFaults(what: string, statuses: readonly string[]): string[] {
  return statuses.flatMap((status, at) => {
    const before = statuses[at - 1] ?? '';
    return after[before]?.includes(status) === true
      ? []
      : [`${what}: ${status} follows ${before === '' ? 'nothing' : before}`];
  });
}
