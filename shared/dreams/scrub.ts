import { folded } from '../tools/convert.ts';
import type { Candidate } from './candidate.ts';
import { addressesIn, ordersAgent, tellsReader } from './instructions.ts';
import type { Piece } from './piece.ts';
import type { DropReason } from './report.ts';
import { secretIn } from './secrets.ts';

export interface Scrubbed {
  readonly reason: DropReason;
  /** What it was, without the words themselves. */
  readonly text: string;
}

/** Why a lesson must not become a memory; undefined when nothing speaks against it. */
export function faultOfCandidate(candidate: Candidate, piece: Piece): Scrubbed | undefined {
  const { situation, advice, why, evidence } = candidate;
  const said = [situation, advice, why].join('\n');
  const fault = faultOfText([said, ...evidence.map(({ quote }) => quote)].join('\n'), '');
  if (fault !== undefined) return fault;
  if (evidence.some(({ speaker }) => speaker !== 'tool')) return faultOfAddresses(said, evidence);
  const words = piece.lines.filter(({ event_id }) =>
    evidence.some((each) => each.event_id === event_id),
  );
  if (evidence.some(({ quote }) => tellsReader(quote)) || words.some(tellsNear(evidence))) {
    return { reason: 'stranger_only', text: 'only a tool or a page says so, to whoever reads it' };
  }
  if (addressesIn(said).length > 0) {
    return { reason: 'stranger_only', text: 'only a tool or a page gives the address' };
  }
  return undefined;
}

/**
 * Why addresses in a text are not to be believed: none of them stands in its evidence by anybody but
 * strangers, nor was it known. So no lesson brings an address in under the cover of another's words.
 */
export function faultOfAddresses(
  text: string,
  evidence: Candidate['evidence'],
  known: readonly string[] = [],
): Scrubbed | undefined {
  const quotes = evidence.filter(({ speaker }) => speaker !== 'tool').map(({ quote }) => quote);
  const believed = folded([...quotes, ...known].join('\n')).toLowerCase();
  const is_new = (address: string): boolean => !believed.includes(folded(address).toLowerCase());
  return addressesIn(text).some(is_new)
    ? { reason: 'stranger_only', text: 'it names an address that its evidence does not' }
    : undefined;
}

/** How far around a quote an order makes it a part of the order. */
const NEAR_CHARS = 600;

function tellsNear(evidence: Candidate['evidence']) {
  return ({ text, event_id }: Piece['lines'][number]): boolean => {
    const whole = folded(text);
    return evidence.some((each) => {
      const at = each.event_id === event_id ? whole.indexOf(folded(each.quote)) : -1;
      if (at === -1) return false;
      const end = at + each.quote.length + NEAR_CHARS;
      return tellsReader(whole.slice(Math.max(0, at - NEAR_CHARS), end));
    });
  };
}

/**
 * Why a text must not be written. What stood there before is not judged again: a dream neither
 * publishes it anew nor is the place to take it away.
 */
export function faultOfText(text: string, before: string): Scrubbed | undefined {
  const known = new Set(before.split('\n'));
  const fresh = text
    .split('\n')
    .filter((line) => !known.has(line))
    .join('\n');
  const secret = secretIn(fresh);
  if (secret !== undefined) return { reason: 'secret', text: `holds a secret: ${secret}` };
  if (ordersAgent(fresh)) {
    return { reason: 'instruction', text: 'gives orders that do not belong to the work' };
  }
  return undefined;
}
