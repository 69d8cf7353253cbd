import { folded } from '../tools/convert.ts';
import type { Candidate } from './candidate.ts';
import { addressesIn, ordersAgent, tellsReader } from './instructions.ts';
import type { Piece, PieceLine } from './piece.ts';
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
  if (evidence.some((each) => isStrangersOrder(each, piece))) {
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

/** Whether a tool or a page says it to whoever reads it, there or close to it. */
export function isStrangersOrder(
  { speaker, event_id, quote }: Candidate['evidence'][number],
  { lines }: Pick<Piece, 'lines'>,
): boolean {
  if (speaker !== 'tool') return false;
  const words = lines.filter((line) => line.speaker === 'tool' || line.event_id === event_id);
  return tellsReader(quote) || words.some(({ text }) => ordersNear(text, quote));
}

/** Whether a passage of a text stands close to words that tell its reader what to do, wherever it stands there. */
export function ordersNear(text: string, quote: string): boolean {
  const whole = folded(text);
  return windowsOf(whole, folded(quote)).some(([from, to]) => tellsReader(whole.slice(from, to)));
}

/** What stands around a passage: where it stands more than once, each part of the text once. */
function windowsOf(whole: string, passage: string): [from: number, to: number][] {
  const windows: [from: number, to: number][] = [];
  if (passage === '') return windows;
  for (let at = whole.indexOf(passage); at !== -1; at = whole.indexOf(passage, at + 1)) {
    const from = Math.max(0, at - NEAR_CHARS);
    const to = at + passage.length + NEAR_CHARS;
    const last = windows.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = to;
    else windows.push([from, to]);
  }
  return windows;
}

/**
 * Whether an agent, or a grader who has read its work, only says what a tool or a page has told it: an address
 * that nobody else has named, words that stand there as an order, or that it will do from now on what it was
 * told there.
 */
export function repeatsStranger(
  quote: string,
  { speaker }: Pick<PieceLine, 'speaker'>,
  lines: readonly PieceLine[],
): boolean {
  if (speaker !== 'agent' && speaker !== 'grader') return false;
  const strangers = lines.filter((line) => line.speaker === 'tool');
  if (strangers.length === 0) return false;
  const saidBy = (those: readonly PieceLine[]): string =>
    folded(those.map(({ text }) => text).join('\n')).toLowerCase();
  const known = saidBy(lines.filter((line) => line.speaker === 'user'));
  const told = saidBy(strangers);
  const addresses = addressesIn(quote).map((address) => folded(address).toLowerCase());
  if (addresses.some((address) => told.includes(address) && !known.includes(address))) return true;
  if (known.includes(folded(quote).toLowerCase())) return false;
  const tells = strangers.filter(({ text }) => tellsReader(text));
  return tellsReader(quote) ? tells.length > 0 : tells.some((line) => ordersNear(line.text, quote));
}

/**
 * In them words can stand that a model reads and a person does not see, or sees in another order. Two together
 * are in emoji and in several scripts; more are bits.
 */
const UNSEEN =
  /[\u{E0000}-\u{E007F}\u202A-\u202E\u2066-\u2069]|\p{Default_Ignorable_Code_Point}{3,}/u;

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
  if (UNSEEN.test(fresh)) {
    return { reason: 'instruction', text: 'holds characters that no reader sees' };
  }
  const secret = secretIn(fresh);
  if (secret !== undefined) return { reason: 'secret', text: `holds a secret: ${secret}` };
  if (ordersAgent(fresh)) {
    return { reason: 'instruction', text: 'gives orders that do not belong to the work' };
  }
  return undefined;
}
