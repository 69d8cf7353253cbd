/** The bounds of threads that work together: a part of `limits`, through which they are read. */
export const thread_limits = {
  // Threads
  /** Source: API reference: children that are neither archived nor terminated; ours for an inline agent's texts. */
  session_children_max: 25,
  inline_agent_name_chars_max: 64,
  inline_agent_system_chars_max: 100_000,
  /** Messages that a coordinator sends before a client speaks again: agents that answer each other for ever end here. */
  team_messages_max: 500,
  /** Writes of one reply's calls (each that waits for a client is a row): of 100 in its transaction, its own take a few. */
  reply_writes_max: 90,
  /** How long the archiving of a thread waits for an interrupt that it has been sent: a few looks of its step. */
  interrupt_wait_ms: 5_000,

  // What transactions write
  /** Rows that a call has changed, in the transaction of its answer: small ones, each of some kilobytes at most. */
  joined_writes_max: 20,
  /**
   * So long behind a transaction's beginning a read of several rows may see some as they were before. Source:
   * DynamoDB: such reads are read-committed; ours is the longest that a transaction repeats itself, and slack.
   */
  transaction_seen_ms: 5_000,
  /** How old may be what was read of a session's files before a call ran: its reply was written meanwhile. */
  foreseen_ms: 1_000,
  /** What the head of a session's files tells of the last changes: with the rest of it within a kilobyte, a write unit. */
  told_bytes_max: 500,
  /** With more files than this (a third of a kilobyte each) a list of them costs a reader more than this costs a writer. */
  told_few_files_max: 300,
  told_many_bytes_max: 3_000,
  /** More changed files than these are listed with all the others. Source: DynamoDB quota for BatchGetItem. */
  told_reads_max: 100,
  /** Reads until what a transaction wrote is seen: one second. */
  unseen_attempts_max: 7,
} as const;
