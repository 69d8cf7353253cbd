import type { Call } from '../core/call.ts';
import { forwardOnly, readPage, type Entry, type Page, type Stretch } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { readDream } from '../dreams/dreams.ts';
import { openReview } from './adopt.ts';
import { readChanges } from './read-review.ts';
import type { ApplyListQuery, ChangeListQuery } from './review-wire.ts';
import {
  showApply,
  showChange,
  stateOf,
  type DreamApply,
  type DreamChange,
} from './show-review.ts';

/** In the order of the operations. @throws Fault `missing` */
export async function listChanges(
  ports: Ports,
  call: Call,
  dream_id: string,
  { limit, page, state }: ChangeListQuery,
): Promise<Page<DreamChange>> {
  const dream = await readDream(ports.table, call, dream_id);
  const changes = await readChanges(ports, dream);
  const review = await openReview(ports, dream, changes);
  const wanted = [...changes].filter(
    ([id]) => state === undefined || stateOf(review, id) === state,
  );
  const list = { kind: `changes ${dream_id}`, order: 'asc', limit, page, ...whole } as const;
  return forwardOnly(
    await readPage(list, async (stretch) => {
      const { some, more } = within(wanted, stretch);
      const entries = await Promise.all(
        some.map(async ([position, change]): Promise<Entry<DreamChange>> => ({
          position,
          item: await showChange(ports, dream, change, review),
        })),
      );
      return { entries, more };
    }),
  );
}

/** The newest first. @throws Fault `missing` */
export async function listApplies(
  ports: Ports,
  call: Call,
  dream_id: string,
  { limit, page }: ApplyListQuery,
): Promise<Page<DreamApply>> {
  const dream = await readDream(ports.table, call, dream_id);
  const { applies } = await openReview(ports, dream, await readChanges(ports, dream));
  const all = applies.map((apply) => [apply.row.apply_id, apply] as const);
  const list = { kind: `applies ${dream_id}`, order: 'desc', limit, page, ...whole } as const;
  return forwardOnly(
    await readPage(list, async (stretch) => {
      const { some, more } = within(all, stretch);
      return {
        entries: some.map(([position, apply]) => ({ position, item: showApply(apply) })),
        more,
      };
    }),
  );
}

/** Every position is an id. */
const whole = { from: '!', to: '~' };

/** A stretch of what is at hand as a whole, by ids in ascending order. */
function within<Item>(
  items: readonly (readonly [position: string, item: Item])[],
  { from, to, reverse, limit }: Stretch,
) {
  const inside = items.filter(([position]) => position >= from && position <= to);
  const some = (reverse ? inside.toReversed() : inside).slice(0, limit);
  return { some, more: inside.length > some.length };
}
