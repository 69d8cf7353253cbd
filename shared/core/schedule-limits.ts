/** The bounds of schedules: a part of `limits`, through which they are read. */
export const schedule_limits = {
  // Timers
  /** Source: EventBridge Scheduler: an event that cannot be handed over is tried again within this. */
  timer_retries_max: 10,
  timer_event_age_max_s: 3_600,
  /** So late a timer may call before reconcile does; both together run once. */
  timer_grace_ms: 540_000,

  // Dream schedules
  cron_chars_max: 256,
  timezone_chars_max: 64,
  /** Source: SDK, deployments: `upcoming_runs_at`. */
  upcoming_runs_max: 5,
  schedule_stores_max: 20,
  schedule_age_days_default: 30,
  schedule_age_days_max: 365,
  retention_days_min: 1,
  retention_days_max: 3_650,
  /** Sessions that one run looks at, the newest first; what is older waits for a shorter `max_age_days`. */
  schedule_scan_max: 5_000,
  /** Older than any session that a schedule looks at: then nobody asks whether it was dreamt. */
  dreamt_kept_days: 400,
  /** Fires that are counted as missed by name; beyond it is `or more`. */
  missed_runs_max: 100,
  /** Dreams that fail one after the other before their schedule pauses itself. */
  schedule_failures_max: 3,
  /** Reading sessions and old memories of a whole store; dreams themselves run elsewhere. */
  fire_timeout_s: 300,
  /** Texts of a store of 32 MiB, for its index. */
  fire_memory_mib: 512,
} as const;
