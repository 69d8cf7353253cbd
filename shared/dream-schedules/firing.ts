/** The fire function, for whoever has changed a schedule or found one that stands still. */
export interface Firing {
  /** Let the timers know of the newest version. */
  sync(schedule_id: string): Promise<void>;
  /** Go on with a run that has begun, up to the start of its dream. */
  run(schedule_id: string, run_id: string): Promise<void>;
  /** All that stands still of a schedule; does not wait for it. */
  heal(schedule_id: string): Promise<void>;
}
