import { dream_limits } from './dream-limits.ts';
import { invariant } from './invariant.ts';
import { outcome_limits } from './outcome-limits.ts';
import { thread_limits } from './thread-limits.ts';
import { schedule_limits } from './schedule-limits.ts';
import { step_limits } from './step-limits.ts';
import { stream_limits } from './stream-limits.ts';

/** Every bound of the platform, in one file. Unit last; raise a number only with its reason. */
export const limits = {
  // AWS
  /** Source: Step Functions quota, 256 KiB of UTF-8 for one state's input or output. */
  state_payload_bytes_max: 262_144,
  /** Source: Lambda quota for a synchronous request or response. */
  lambda_payload_bytes_max: 6_291_456,
  /** Source: API Gateway quota for a request's body. */
  gateway_body_bytes_max: 10_485_760,
  /** Source: DynamoDB quota for one item is 400 kB; a third is kept free for keys and growth. */
  row_bytes_max: 300_000,
  /** Source: DynamoDB quota for TransactWriteItems. */
  transaction_writes_max: 100,

  // Functions
  /** API Gateway answers for a regional integration within 29 s; a longer run would be for nobody. */
  api_timeout_s: 29,
  /** JSON of a few MB, and CPU enough that a cold start stays under half a second. */
  api_memory_mib: 512,
  /** One whole CPU: what a search waits for is the making of its index. */
  memory_memory_mib: 1_769,
  /** Source: Lambda quota, and the longest that API Gateway streams one response. */
  stream_timeout_s: 900,
  /** Waits and copies; memory is what its minutes are billed by. */
  stream_memory_mib: 256,
  /** A command's own 120 s, and the time to load and hand back files. */
  sandbox_timeout_s: 150,
  /** More than one CPU (1,769 MiB): Python starts in a second, and a file of 100 MiB fits with its copies. */
  sandbox_memory_mib: 2048,
  /** One run a minute: the next takes over what this one leaves. */
  reconcile_timeout_s: 60,
  reconcile_memory_mib: 512,
  /** What is kept of the function's time to end the round that is under way. */
  reconcile_reserve_ms: 10_000,
  /** What stands still for so long is counted and alarmed about: a session that runs, a schedule, a deletion. */
  stuck_ms: 1_800_000,
  /** A turn whose runs keep dying is started anew so often: after 1, 2, 4 … minutes, within about two hours. */
  session_restarts_max: 7,
  session_restart_wait_ms: 60_000,
  /** A turn that has not come to rest in a day is a fault, and 7 events a step stay under 25,000 in it. */
  run_timeout_s: 86_400,

  ...step_limits,

  // HTTP
  /** What a JSON response may weigh: Lambda's bound less the envelope of the proxy and its escaping. */
  response_bytes_max: 4_500_000,
  page_default: 20,
  page_max: 100,
  events_page_max: 1_000,
  /** Source: API reference: pairs of metadata, and their sizes in characters. */
  metadata_pairs_max: 16,
  metadata_key_chars_max: 64,
  metadata_value_chars_max: 512,
  /** Source: API reference: names of agents; ours for every other name. */
  name_chars_max: 256,
  description_chars_max: 2_048,
  /** Source: DNS: the longest name of a host. */
  domain_chars_max: 255,
  /** Nobody means more, and a parser that recurses would not survive much more. */
  json_depth_max: 100,
  /** Items of one page; twice that is what they weigh when the proxy escapes every character. */
  page_bytes_max: 2_000_000,
  /** Candidates that one request looks at before it answers with what it has. */
  page_scan_max: 1_000,

  // Keys
  /** How long a revoked key may still work: each container asks the table again after this. */
  key_cache_ms: 5_000,
  /** Keys that a container remembers; the cache is emptied when it grows beyond. */
  key_cache_entries_max: 1_000,

  // Agents
  /** Source: API reference. */
  agent_system_chars_max: 100_000,
  agent_tools_max: 256,
  mcp_servers_max: 20,
  mcp_server_name_chars_max: 255,
  mcp_url_chars_max: 2_048,
  tool_name_chars_max: 128,
  tool_domains_max: 64,
  url_source_tools_max: 128,
  /** Source: API reference: kinds of agents that one agent may start. */
  roster_entries_max: 20,
  /** One agent in one answer, in a session with its whole team, also after the proxy has escaped it; schemas have no bound of their own. */
  agent_bytes_max: 1_000_000,
  /** Races that an update without `version` runs again before it gives up. */
  update_attempts_max: 10,

  // Sessions
  session_title_chars_max: 1_024,
  /** What a DELETE spends on sweeping before it answers; reconcile does the rest. */
  sweep_inline_ms: 5_000,
  /** Races that a command on a session may lose to its turn and to other clients. */
  head_attempts_max: 20,

  // Resources of a session
  /** Source: API reference, as are the next three. */
  session_mounted_files_max: 500,
  session_stores_max: 8,
  resource_instructions_chars_max: 4_096,
  resources_page_max: 1_000,
  /** Each is fetched at the beginning of a turn, one after the other. */
  session_repositories_max: 20,
  /** Source: GitHub: a longer name of a branch is refused. */
  branch_chars_max: 250,
  /** A repository's archive as it comes, held in the step's memory twice. */
  archive_bytes_max: 67_108_864,
  /** What it is unpacked, held in the sandbox's memory. */
  repository_bytes_max: 268_435_456,
  archive_timeout_ms: 120_000,
  /** What a prompt names of the mounted files; the rest is counted. */
  prompt_files_max: 100,
  /** What a session's prompt holds of a store's index. */
  store_index_bytes_max: 16_384,
  /** Longer than any creation takes: what it has written by then belongs to nobody and is swept. */
  reserved_ms: 900_000,
  /** Objects that are copied at the same time. */
  copies_parallel_max: 16,

  // Environments
  allowed_hosts_max: 500,
  packages_max: 200,
  package_chars_max: 256,

  // Files API
  /** Source: API reference, likewise the next five. */
  files_page_max: 1_000,
  file_ids_max: 100,
  filename_chars_max: 255,
  file_expiry_min_s: 3_600,
  file_expiry_max_s: 7_776_000,
  upload_bytes_max: 500_000_000,
  /** What it was can be read for so long after a file's bytes have gone. */
  file_tombstone_ms: 2_592_000_000,
  /** A form as Lambda takes it: base64 and the proxy's envelope make about 6 MB of it. */
  form_file_bytes_max: 4_500_000,
  /** A presigned upload must have begun within this, and be complete within the next. */
  upload_url_s: 3_600,
  pending_upload_ms: 86_400_000,

  // Rows
  /** A value larger than this goes to the bucket and its row keeps a pointer. */
  inline_bytes_max: 65_536,

  // Turn
  /** Events that wait in a session's inbox: the head lists them, and it is rewritten often. */
  queue_max: 200,
  /** A step that writes nothing for this long may be taken for dead by another execution. */
  lease_ms: 120_000,
  /** Races that one append may lose: each has a winner, and 25 threads and their client write to one head. */
  append_attempts_max: 60,
  /** How often a running step looks for an interrupt; a read of 4 kB each time. */
  interrupt_poll_ms: 250,
  /** There may be 25 of them, nobody waits for one as for the session itself, and most answers come sooner. */
  child_interrupt_poll_ms: 1_500,
  /** How old may be what a turn knows of its session's budget and listeners. */
  turn_look_ms: 500,
  /** Words of the model are gathered for this long between two rows of deltas. */
  delta_flush_ms: 60,
  /** An answer that takes longer than this counts as a failed request when the step's time ends it. */
  answer_ms_max: 600_000,
  /** Model requests of one turn; beyond is `tool_use_limit_reached_error`. */
  turn_rounds_max: 500,
  /** Failed model requests of one turn that are tried again: waits of 2, 4, 8, 16 and 32 s. */
  turn_retries_max: 5,
  retry_wait_base_ms: 2_000,
  retry_wait_max_ms: 60_000,
  /** Tools of one reply that run at the same time. */
  tools_parallel_max: 8,

  // Traces
  /** What a trace shows of one thread, the newest of each: 25 threads are then a few MB. */
  trace_turns_max: 200,
  trace_messages_max: 200,
  trace_files_max: 200,
  /** What it shows of a message, and of the reason of a verdict. */
  trace_text_chars_max: 1_000,
  /** Spans of one request: the default of OpenTelemetry's own exporters. */
  otlp_spans_max: 512,
  /** A step waits for it when its session is idle already: nobody else does. */
  otlp_timeout_ms: 5_000,

  ...thread_limits,

  // Files of a session
  /** Source: issue 2: what one session may hold. Folders and links are counted apart from files. */
  session_files_max: 10_000,
  session_folders_max: 10_000,
  session_bytes_max: 1_073_741_824,
  file_bytes_max: 104_857_600,
  /** Past versions of one path of which the author is kept: a row each. */
  file_history_max: 100,
  /** As Linux has it for one name. */
  file_name_bytes_max: 255,
  /** Source: DynamoDB quota, 1,024 bytes of a sort key, less the two of `F#`. */
  path_bytes_max: 1_022,
  /** As Linux has it for one path: a memory's own path stands behind that of its mount. */
  tool_path_bytes_max: 4_096,
  /** Contents up to this size stand in their row, as long as a session's sum stays small. */
  inline_file_bytes_max: 4_096,
  inline_files_bytes_max: 262_144,
  /** A file that threads append to at once: larger ones are read and written whole too often. */
  append_join_bytes_max: 262_144,
  /** A manifest larger than this goes to the sandbox through the bucket. */
  manifest_inline_bytes_max: 1_000_000,
  /** Objects that live contents may be spread over: each needs a presigned URL per call. */
  session_objects_max: 256,
  /** What one repack moves at most: it must end within one sandbox call. */
  repack_bytes_max: 67_108_864,
  presign_s: 900,
  /** Attempts of one edit against other threads' edits of the same file: 25 threads, and slack. */
  file_attempts_max: 60,

  // Memory
  /** Source: SDK, memories: UTF-8 of one. */
  memory_bytes_max: 102_400,
  memory_path_bytes_max: 1_024,
  memory_path_segments_max: 20,
  /** A larger one is an object: a page of rows is read for their paths and hashes most of the time. */
  inline_memory_bytes_max: 4_096,
  /** Races that one write may lose: of 50 writers of one memory each round has a winner. */
  memory_attempts_max: 60,
  /** Stores that a warm step knows; one of 10,000 small memories has two thirds of it. */
  memory_snapshots_bytes_max: 25_165_824,
  /** What one command may copy out of stores: a step holds it in memory, as base64 too. */
  memory_copies_bytes_max: 67_108_864,
  memory_store_name_chars_max: 255,
  memory_store_description_chars_max: 1_024,
  /** Source: SDK, memories: items of a page that shows their contents. */
  memory_full_page_max: 20,

  // Memory stores: history, search, archives
  /** What reading a history may take of a request: some 400 MB of versions. */
  history_read_ms: 18_000,
  /** What one request of a restore or an import writes for, before it hands on. */
  memory_work_ms: 15_000,
  /** Indexing takes some 0.5 s a megabyte; of larger stores only the beginnings of texts are known. */
  search_text_bytes_max: 16_777_216,
  /** Texts that a warm function's indexes stand for, some six times of it in memory. */
  search_cache_bytes_max: 33_554_432,
  search_query_chars_max: 1_000,
  /** Read whole at the beginning of an import, in the time of one request. */
  import_bytes_max: 268_435_456,
  import_versions_max: 500_000,
  /** A text of which JSON escapes every byte, and the rest of its version. */
  import_line_bytes_max: 1_000_000,
  import_id_chars_max: 256,
  /** An import that nobody goes on with for so long is swept. */
  import_idle_ms: 86_400_000,
  search_hits_default: 10,
  /** Lines that may differ before two texts are shown as one whole replacement: its square is work. */
  diff_edits_max: 1_000,
  /** What computing one page of a comparison may take. */
  diff_page_ms: 8_000,
  search_hits_max: 50,

  // Dreams
  /** Source: SDK, dreams, likewise the next. */
  dream_sessions_max: 100,
  dream_instructions_chars_max: 4_096,
  /** Texts of the input store: a task holds them several times, beside what it makes of them. */
  dream_store_bytes_max: 33_554_432,
  /** A dream that has not ended in half a day has something in its way: it fails as `timeout`. */
  dream_timeout_ms: 43_200_000,
  /** A dream that has outlived its time by so much is counted as stuck. */
  dream_stuck_after_ms: 3_600_000,
  /** Sessions that are read side by side. Source: issue 5. */
  dream_sessions_parallel_max: 25,
  /** Source: Lambda quota. A task yields well before. */
  dream_timeout_s: 900,
  /** A store of 32 MiB as it was and as it will be, with its snapshot as JSON. */
  dream_memory_mib: 512,

  // Tools
  /** Source: API reference: a longer output goes to a file. */
  tool_output_chars_max: 100_000,
  tool_preview_chars: 4_000,
  bash_timeout_ms: 120_000,
  /** What the sandbox function may take beyond a command: loading and storing files. */
  sandbox_overhead_ms: 30_000,
  /** Contents in a reply, as base64 beside the rest of 6 MB; more goes through a presigned URL. */
  reply_contents_bytes_max: 3_145_728,
  shell_state_bytes_max: 131_072,
  /** New contents of one call, held in the function's memory until they are stored. */
  call_contents_bytes_max: 268_435_456,
  /** What /dev/urandom gives at a time to commands that read a file to its end. */
  random_device_bytes: 1_048_576,
  /** What `head -c` gives of a device: the interpreter's own bound of an output. */
  device_head_bytes_max: 33_554_432,
  read_text_bytes_max: 262_144,
  /** Base64 of it must pass Lambda's reply and the model's own bound of 5 MB an image. */
  read_media_bytes_max: 3_145_728,
  glob_results_max: 200,
  /** An office document, and what its parts of XML unpack to: parsers hold several times as much. */
  document_bytes_max: 33_554_432,
  document_unpacked_bytes_max: 33_554_432,
  /** Rows times columns of a sheet: the library fills every gap. */
  document_cells_max: 2_000_000,
  fetch_body_bytes_max: 10_485_760,
  fetch_redirects_max: 5,
  fetch_timeout_ms: 30_000,
  search_results_max: 10,

  // Events that clients send
  /** Source: API reference: events of one request. */
  send_events_max: 50,
  /** One source of a block: an event must fit into Lambda's request and into one page of a list. */
  source_chars_max: 4_000_000,
  content_blocks_max: 1_000,
  /** Source: API reference, of documents; ours for images. */
  file_blocks_max: 100,
  /** Base64 of it is what the Messages API takes of an image: 5 MiB. */
  source_image_bytes_max: 3_932_160,
  /** Base64 of all files of a request: of 32 MB that the Messages API takes, the words keep 5. */
  source_files_bytes_max: 20_000_000,
  /** Contents that a warm step keeps: those of one full request. */
  sources_chars_max: 27_000_000,
  /** Source: API reference: text items of one system.message. */
  system_blocks_max: 1_000,
  deny_message_chars_max: 4_096,
  url_chars_max: 8_192,

  ...outcome_limits,

  // Models
  /** How long a secret is believed; a refused one is read again at once. */
  secret_cache_ms: 300_000,
  /** Larger answers are legal, but one answer must end well within a step's Lambda time. */
  model_output_tokens_max: 64_000,
  /** Tokens of a judgement or a search: a verdict or some findings, and the thinking before it. */
  judge_output_tokens_max: 4_096,
  search_output_tokens_max: 8_192,
  /** A judgement that takes longer is none. */
  judge_timeout_ms: 30_000,
  /** A call too large to be shown whole is never judged: what is hidden may be what matters. */
  judge_input_chars_max: 60_000,
  /** The newest words of the user; older ones are left out of a judgement. */
  judge_intent_chars_max: 20_000,
  /** A search may pause on the provider's side; it is continued so often. */
  search_continuations_max: 3,
  /** Per cent of the window at which the context is compacted: one large round must still fit. */
  compaction_window_percent: 80,
  /** Tries of one compaction, each with less of the old tool results. */
  compaction_tries_max: 3,
  compaction_output_tokens_max: 16_000,
  /** No byte for so long: the API pings a waiting client every few seconds. */
  model_stall_ms: 90_000,
  /** Bedrock's event stream has no pings: a long thought is silence. */
  model_stall_bedrock_ms: 240_000,

  ...stream_limits,

  // Log
  /** Events of an inbox whose numbers travel to the step; it reads more when it sees the queue. */
  inbox_hints_max: 50,
  /** Events of one append: a reply with 256 tool calls, their results and what closes the turn. */
  entry_events_max: 1_000,
  /** Of 4 MB of a transaction (source: DynamoDB quota): a request's answers may stand in children's logs too. */
  append_bytes_max: 524_288,

  // Transcripts
  /** A segment is one line of JSON or more; a step holds it in memory twice while it is written. */
  transcript_segment_bytes_max: 4_194_304,
  /** Segments of all manifests that a warm function remembers, about half a kilobyte each. */
  manifests_segments_max: 20_000,
  /** Events that a step remembers for the segment it will write; after more it reads the log. */
  segment_lines_kept_max: 500,
  /** What a reader of Markdown sees of one tool result; the event has the rest. */
  transcript_result_chars_max: 4_000,

  ...dream_limits,
  ...schedule_limits,
} as const;

// The relations are decisions, not accidents: they fail at load, before any request.
invariant(limits.inline_bytes_max * 4 < limits.row_bytes_max, 'a row holds four inlined values');
invariant(limits.page_bytes_max * 2 < limits.response_bytes_max, 'a page fits when escaped');
invariant(limits.agent_bytes_max < limits.page_bytes_max, 'a page holds at least one agent');
invariant(limits.response_bytes_max < limits.lambda_payload_bytes_max, 'a response fits in Lambda');
invariant(limits.source_chars_max < limits.response_bytes_max, 'a source fits in a response');
invariant(
  limits.reply_contents_bytes_max * 1.5 < limits.lambda_payload_bytes_max,
  'a reply holds its contents in base64',
);
