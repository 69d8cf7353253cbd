/** The bounds of the functions that run steps and grade: a part of `limits`, through which they are read. */
export const step_limits = {
  /** Source: Lambda quota. A step yields well before, so that a slow end is not a kill. */
  step_timeout_s: 900,
  /** Mostly waits for the model, and memory is what its minutes are billed by. */
  step_memory_mib: 256,
  /** Of the large step: holds one request of 32 MB twice. */
  large_step_memory_mib: 512,
  /** Shows a grader pictures of 20 million characters, and sends them. */
  grade_memory_mib: 512,
  /** The share of a function's time after which no new model request is begun. */
  step_time_share_max: 0.75,
  /** What is kept of a function's time to write down where it stopped. */
  step_time_reserve_ms: 10_000,
  /** Conversations that a warm step keeps, as JSON: two bytes a character at worst, in 256 MiB. */
  contexts_chars_max: 8_000_000,
  /** A conversation of more, as JSON, is for the large step: with its request it takes 7 bytes a character. */
  step_context_chars_max: 8_000_000,
  /** Files of a request that weigh more are for the large step: they stand in it as base64, and again as it is sent. */
  step_source_bytes_max: 6_000_000,
  /** Contents that the small step keeps: those of one request of it. */
  step_sources_chars_max: 8_000_000,
} as const;
