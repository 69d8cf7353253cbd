import type { BetaDream } from '@anthropic-ai/sdk/resources/beta/dreams';
import type { DreamHead } from './dream.ts';

/** A dream exactly as it goes over the wire. */
export type Dream = BetaDream;

export function showDream(head: DreamHead): Dream {
  const { memory_store_id, session_ids, output_store_id, error } = head;
  return {
    id: head.dream_id,
    type: 'dream',
    status: head.status,
    inputs: [
      { type: 'memory_store', memory_store_id },
      { type: 'sessions', session_ids: [...session_ids] },
    ],
    model: { ...head.model },
    instructions: head.instructions,
    output_behavior: { ...head.output_behavior },
    outputs:
      output_store_id === null ? [] : [{ type: 'memory_store', memory_store_id: output_store_id }],
    session_id: head.session_id,
    error: error === null ? null : { type: error.type, message: error.message },
    usage: {
      cache_creation_input_tokens: head.usage.cache_creation_input_tokens,
      cache_read_input_tokens: head.usage.cache_read_input_tokens,
      input_tokens: head.usage.input_tokens,
      output_tokens: head.usage.output_tokens,
    },
    created_at: head.created_at,
    ended_at: head.ended_at,
    archived_at: head.archived_at,
  };
}
