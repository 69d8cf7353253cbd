/** The bounds of outcomes and their grading: a part of `limits`, through which they are read. */
export const outcome_limits = {
  // Outcomes
  /** Source: API reference. */
  rubric_chars_max: 262_144,
  outcome_iterations_default: 3,
  outcome_iterations_max: 20,
  outcome_description_chars_max: 100_000,
  /** Items of each list of an outcome model: all of them need a verdict in one answer. */
  outcome_model_items_max: 30,
  outcome_model_text_chars_max: 2_000,
  /** What a report's grader is told of how a session went, beside its deliverables. */
  report_story_chars_max: 60_000,
  /** A report takes minutes at most; one that is due for so long may have lost its execution. */
  report_due_ms: 300_000,
  /** Executions that a report is given beside its run's own. */
  report_restarts_max: 3,
  /** Criteria that a rubric is split into; each needs a verdict with evidence in one answer. */
  criteria_max: 100,
  /** Pieces of evidence for one criterion, and what one of them quotes. */
  evidence_max: 20,
  quote_chars_max: 2_000,
  reason_chars_max: 2_000,
  /** What the agent is told of a verdict; it works on by it. */
  explanation_chars_max: 16_000,
  /** One piece of a deliverable, and what one round of reading gives to the model. */
  grader_piece_chars_max: 40_000,
  grader_round_chars_max: 160_000,
  /** Files named in one listing. */
  grader_listing_max: 200,
  /** Images and PDFs of one grading, as base64: a request of 32 MB holds all of them. */
  grader_media_chars_max: 20_000_000,
  /** Model requests of one grading. */
  grader_rounds_max: 80,
  grader_output_tokens_max: 32_000,
  /** Per cent of the window after which nothing more is read: the verdict must still fit. */
  grader_window_percent: 70,
  /** What is kept of a grading's time to ask for the verdict. */
  grader_reserve_ms: 60_000,
  grader_heartbeat_ms: 15_000,
  /** Answers without a usable verdict that are asked for again. */
  grader_repeats_max: 2,
  /** What the audit keeps of one text. */
  grader_line_chars_max: 20_000,
  /** Verdicts that one summary counts, some 10 kB each, and what reading them may take. */
  summary_verdicts_max: 2_000,
  summary_ms: 8_000,
  /** Different criteria that a summary holds at a time; it shows those that failed most. */
  summary_distinct_max: 10_000,
  summary_criteria_max: 20,
  summary_versions_max: 50,
  summary_text_chars_max: 500,
} as const;
