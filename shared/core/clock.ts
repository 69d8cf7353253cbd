/** Time as an argument: production passes {@link systemClock}, tests pass a settable one. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** RFC 3339, UTC, milliseconds, `Z`: every time on the wire and in a row. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString();
}
