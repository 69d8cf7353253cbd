import { newId } from '../core/id.ts';
import { ModelError } from '../models/model-error.ts';
import type { Model, ModelPart, ModelReply, ModelRequest, RequestUsage } from '../models/model.ts';
import type { DeltaRelay } from './deltas.ts';
import type { Watch } from './watch.ts';

export type RequestOutcome =
  | { readonly type: 'reply'; readonly reply: ModelReply; readonly ids: EventIds }
  | { readonly type: 'stopped'; readonly spent: RequestUsage | undefined }
  | { readonly type: 'failed'; readonly error: ModelError };

/**
 * Which event each block of a reply becomes. Given when the block begins, because deltas name the
 * event before it exists; texts that follow each other are one message.
 */
export class EventIds {
  readonly #of = new Map<number, { id: string; kind: string; place: number }>();

  /** The event of block `index` and the block's place in that event's content. */
  at(index: number, kind: string): { id: string; place: number; first: boolean } {
    const known = this.#of.get(index);
    if (known !== undefined) return { ...known, first: false };
    const before = this.#of.get(index - 1);
    const joins = kind === 'text' && before?.kind === 'text';
    const entry = joins
      ? { id: before.id, kind, place: before.place + 1 }
      : { id: newId('event'), kind, place: 0 };
    this.#of.set(index, entry);
    return { ...entry, first: !joins };
  }
}

/** Who hears the answer while it is said. */
export interface Hearing {
  readonly relay: DeltaRelay | undefined;
  readonly watch: Watch;
  readonly firstPart: () => void;
}

/**
 * One request, heard to its end or to the moment when `watch` stops it. The provider's failures
 * are an outcome; what we break ourselves is thrown.
 */
export async function requestModel(
  model: Model,
  request: ModelRequest,
  { relay, watch, firstPart }: Hearing,
): Promise<RequestOutcome> {
  const ids = new EventIds();
  let heard = false;
  try {
    for await (const part of model.stream(request, watch.signal)) {
      if (!heard) firstPart();
      heard = true;
      if (part.type === 'done') {
        await relay?.end();
        return { type: 'reply', reply: part.message, ids };
      }
      tell(relay, ids, part);
    }
    throw new ModelError('The model ended without an answer.', { kind: 'failed', retryable: true });
  } catch (error) {
    const told = error instanceof ModelError ? error : undefined;
    if (watch.signal.aborted) return { type: 'stopped', spent: told?.spent };
    if (told !== undefined) return { type: 'failed', error: told };
    throw error;
  }
}

function tell(
  relay: DeltaRelay | undefined,
  ids: EventIds,
  part: Exclude<ModelPart, { type: 'done' }>,
): void {
  const { id, place, first } = ids.at(part.index, part.block);
  if (relay === undefined || (part.block !== 'text' && part.block !== 'thinking')) return;
  const type = part.block === 'text' ? 'agent.message' : 'agent.thinking';
  if (part.type === 'start') {
    if (first) relay.send(id, { type: 'event_start', event: { type, id } });
  } else if (part.block === 'text') {
    relay.send(id, {
      type: 'event_delta',
      event_id: id,
      delta: {
        type: 'content_delta',
        index: place,
        content: { type: 'text', text: part.text },
      },
    });
  }
}
