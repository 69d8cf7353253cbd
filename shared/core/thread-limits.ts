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
} as const;
