/** The bounds of playbooks and dreams: a part of `limits`, through which they are read. */
export const dream_limits = {
  // Playbooks
  playbook_title_chars_max: 200,
  playbook_situation_chars_max: 600,
  /** Failed sessions before a playbook may be retired for them. */
  playbook_harmful_count: 3,
  /** Playbooks that a session is offered: more would be noise. */
  playbooks_offered_max: 3,
  /** Of one playbook's steps, what a prompt holds; its file has the rest. */
  playbook_steps_bytes_max: 3_000,
  /** What of a session's first messages is compared with situations. */
  playbook_query_chars_max: 8_000,
  /** Playbooks of one store that are looked at for an offer, the first by path; longer ones are left out. */
  playbooks_read_max: 500,
  playbook_read_bytes_max: 32_768,
  /** Playbooks that one tool call may show; a command that goes through more of them searches. */
  playbook_reads_max: 10,
  /** Sessions that a playbook remembers to have counted: as many as one dream reads. */
  playbook_counted_max: 100,
  /** One line of a store's index. */
  index_line_chars_max: 240,

  // Dreams
  /** Words of a memory that a revision may lose without naming them; likewise a merge, of all its inputs. */
  revise_loss_percent: 20,
  merge_loss_percent: 40,
  /** What a revision or a merge may lose of all its words, named or not; of each memory of a merge. */
  named_loss_percent: 60,
  merge_input_loss_percent: 75,
  /** What all revisions of a dream may shrink the store by, beyond what they name. */
  dream_shrink_percent: 10,
  /** Memories that one dream may retire: the larger of both. */
  dream_retire_percent: 25,
  dream_retire_count: 3,
  /** What one request of reflection reads: some 20,000 tokens, and as much of the piece before. */
  piece_chars_max: 60_000,
  piece_overlap_chars: 4_000,
  /** A longer event becomes several lines. */
  piece_line_chars_max: 20_000,
  /**
   * Verdicts of a session that each of its pieces is told of, the newest, and how much of their reasons: a session
   * of a thousand runs has as many reports, and all of them in each piece would be longer than the session.
   */
  piece_verdicts_max: 50,
  piece_verdicts_chars_max: 12_000,
  /** Lessons of one piece: more of them would be less. */
  piece_lessons_max: 8,
  /** Memories that reflection is told of, by their beginnings. */
  piece_memories_max: 6,
  piece_memory_chars_max: 160,
  lesson_chars_max: 2_000,
  dream_output_tokens_max: 32_000,
  /** An answer that cannot be used is asked for again once. */
  dream_tries_max: 2,
  /** Lexical likeness, in per cent of words in common: the same but for small words; about the same thing. */
  dream_same_percent: 85,
  dream_like_percent: 30,
  /** Lessons and memories of one request of consolidation. */
  group_lessons_max: 12,
  group_memories_max: 6,
  group_chars_max: 120_000,
  /** Groups that one request decides on when all are small: the rules are said once for them. */
  pack_groups_max: 8,
  pack_chars_max: 24_000,
  /** Changes that one request of verification judges, and how much is shown of them in all. */
  verify_changes_max: 8,
  verify_chars_max: 40_000,
  /** Questions of the gate from the dream's evidence, and as many from the store as it was. */
  gate_questions_max: 8,
  gate_answer_chars_max: 400,
  /** Memories that each question is answered with, and what of one is shown. */
  gate_memories_max: 3,
  gate_memory_chars_max: 4_000,
  /**
   * Places in the way of one change that its outcome names: as many as a decision may name, and with the
   * longest paths still one row of a table.
   */
  change_conflicts_max: 100,
  /** Of a session's title, where a report names it beside others. */
  report_title_chars_max: 120,
  // Batches of a dream
  /** Source: the Message Batches API takes 100,000; here their ids stand in one row. */
  batch_requests_max: 5_000,
  /**
   * Source: the API takes 256 MB; a task holds a batch several times while it sends it. Measured with the whole
   * bundle in a process of its own, resident at most: 310 MiB, 345 with the largest store in memory, of 512.
   */
  batch_bytes_max: 16_777_216,
  /** What sending a batch may take; as long nobody else sends it. */
  batch_submit_ms: 120_000,
  /** Times that a batch is sent whose id is lost, before its requests are made one by one. */
  batch_submits_max: 2,
  /** Between two looks: a quarter of what it has taken so far, within these. 25 looks for an hour, 300 for a day. */
  batch_pause_min_s: 15,
  batch_pause_max_s: 300,
  /** What telling the provider to cancel or forget a batch may take: best effort. */
  batch_farewell_ms: 10_000,
  /** Six rounds and more, of which the API answers most within an hour and each within a day. */
  dream_batch_timeout_ms: 172_800_000,
  /** Longer than any dream: its machine's. About 10 events of 25,000 that an execution has for each look. */
  dream_run_timeout_s: 216_000,

  /** Model requests of one stage at the same time. */
  dream_parallel_max: 8,
  /** What is said in a dream's session by so many at once is one transaction: with the head and two bills under 100 writes. */
  dream_lines_together_max: 20,
  /** Of a session's events so much is held between its two readings; a longer session is read twice. */
  dream_session_held_chars_max: 4_000_000,
} as const;
