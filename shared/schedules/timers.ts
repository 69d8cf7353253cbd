/** What calls a function at its time: a schedule of EventBridge Scheduler. */
export interface Timer {
  /** `cron(…)`, see event-bridge.ts */
  readonly expression: string;
  /** IANA name. */
  readonly timezone: string;
  /** A timer that is not enabled stays, and calls nobody. */
  readonly is_enabled: boolean;
  readonly description: string;
  /** What the function gets, as JSON; {@link DUE_AT} in it becomes the time that was due. */
  readonly input: object;
}

/** Source: EventBridge Scheduler, context attributes: RFC 3339 in UTC, of the time that was due. */
export const DUE_AT = '<aws.scheduler.scheduled-time>';

/** The timers of this deployment; both are safe to repeat. */
export interface Timers {
  /** Make a timer, or make it what is wanted. */
  put(name: string, timer: Timer): Promise<void>;
  /** Take a timer away, where it is there. */
  remove(name: string): Promise<void>;
}
