import { folded } from '../tools/convert.ts';
import type { HeldEvidence } from './candidate.ts';
import { addressesIn } from './instructions.ts';
import type { Speaker } from './piece.ts';
import { ordersNear } from './scrub.ts';

/** How a quote repeats a stranger: an address that nobody else has named, or words that stand in an order. */
export type Repeated = 'address' | 'order';

type Quoted = Pick<HeldEvidence, 'event_id' | 'quote' | 'speaker'>;

/** A quote, and what was heard of it. */
interface Heard {
  readonly quote: string;
  readonly words: string;
  /** Addresses in it: those that strangers have named, and those that people have. */
  readonly addresses: readonly string[];
  readonly told: Set<string>;
  readonly known: Set<string>;
  is_order: boolean;
  is_known: boolean;
}

/**
 * What an agent or a grader is quoted with, held against all that strangers and people say in the session:
 * a piece shows its own lines alone, and a page may stand long before the words that repeat it.
 */
export class Repeats {
  readonly #heard = new Map<string, Heard>();

  /** @param evidence Of one session. */
  constructor(evidence: readonly Quoted[]) {
    for (const each of evidence) {
      if (each.speaker !== 'agent' && each.speaker !== 'grader') continue;
      this.#heard.set(nameOf(each), {
        quote: each.quote,
        words: plain(each.quote),
        addresses: addressesIn(each.quote).map(plain),
        told: new Set(),
        known: new Set(),
        is_order: false,
        is_known: false,
      });
    }
  }

  /** Whether it matters what somebody says. */
  heeds(speaker: Speaker): boolean {
    return this.#heard.size > 0 && (speaker === 'tool' || speaker === 'user');
  }

  /** Every event of the session that it heeds, in any order. */
  hear(speaker: Speaker, text: string): void {
    if (!this.heeds(speaker)) return;
    const said = plain(text);
    for (const heard of this.#heard.values()) {
      const named = heard.addresses.filter((address) => said.includes(address));
      for (const address of named) (speaker === 'tool' ? heard.told : heard.known).add(address);
      if (!said.includes(heard.words)) continue;
      if (speaker === 'user') heard.is_known = true;
      else heard.is_order ||= ordersNear(text, heard.quote);
    }
  }

  of(evidence: Quoted): Repeated | undefined {
    const heard = this.#heard.get(nameOf(evidence));
    if (heard === undefined) return undefined;
    if (heard.is_order && !heard.is_known) return 'order';
    return [...heard.told].some((address) => !heard.known.has(address)) ? 'address' : undefined;
  }
}

function plain(text: string): string {
  return folded(text).toLowerCase();
}

function nameOf({ event_id, quote }: Quoted): string {
  return JSON.stringify([event_id, quote]);
}
