import { invariant } from './invariant.ts';

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

  // Rows
  /** A value larger than this goes to the bucket and its row keeps a pointer. */
  inline_bytes_max: 65_536,

  // Turn
  /** A step that writes nothing for this long may be taken for dead by another execution. */
  lease_ms: 120_000,

  // Events that clients send
  /** Source: API reference: events of one request. */
  send_events_max: 50,
  /** One source of a block: an event must fit into Lambda's request and into one page of a list. */
  source_chars_max: 4_000_000,
  content_blocks_max: 1_000,
  /** Source: API reference: text items of one system.message. */
  system_blocks_max: 1_000,
  deny_message_chars_max: 4_096,
  url_chars_max: 8_192,

  // Log
  /** Events of one append: a reply with 256 tool calls, their results and what closes the turn. */
  entry_events_max: 1_000,
} as const;

// The relations are decisions, not accidents: they fail at load, before any request.
invariant(limits.inline_bytes_max * 4 < limits.row_bytes_max, 'a row holds four inlined values');
invariant(limits.response_bytes_max < limits.lambda_payload_bytes_max, 'a response fits in Lambda');
invariant(limits.source_chars_max < limits.response_bytes_max, 'a source fits in a response');
