import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import { folded } from '../tools/convert.ts';
import type { Criterion } from './criteria.ts';
import type { Desk } from './desk.ts';
import type { Entry, Evidence } from './submission.ts';

/** What of an entry's evidence holds, and why the rest does not. */
export interface Checked {
  readonly held: readonly Evidence[];
  /** Sentences for the grader; empty when everything holds and there is something. */
  readonly faults: readonly string[];
}

/**
 * Whether what the grader names stands there. A quote must stand in the file or page, as text. A
 * path alone is evidence
 * - of an image or PDF that was shown to the grader: its text cannot be searched, so a quote from
 *   it counts for nothing more and is left out;
 * - for a criterion that speaks of files (their names, number, size, format): a file or folder;
 * - for a criterion about the whole or about an absence: a file that the grader has read to its end
 *   or searched, or a page that it has fetched.
 *
 * For verdicts other than `met` any path that exists will do.
 */
export function checkEvidence(
  desk: Desk,
  criterion: Criterion,
  entry: Entry,
  found: FoundQuotes,
): Checked {
  const held: Evidence[] = [];
  const faults: string[] = [];
  for (const evidence of entry.evidence) {
    const fault = faultOf(desk, criterion, evidence, { found, verdict: entry.verdict });
    if (fault !== undefined) faults.push(`${JSON.stringify(evidence.path)}: ${fault}`);
    else held.push(desk.isShown(evidence.path) ? { path: evidence.path } : evidence);
  }
  if (entry.evidence.length === 0) faults.push('no evidence is given');
  return { held, faults };
}

/** Which quotes stand where they are said to: keys of {@link Evidence}. */
export type FoundQuotes = ReadonlySet<string>;

const keyOf = ({ path, quote }: Evidence): string => JSON.stringify([path, quote]);

/** Looks for all quotes of a submission: each file is searched once, several at the same time. */
export async function findQuotes(
  desk: Desk,
  all: readonly Evidence[],
  signal: AbortSignal,
): Promise<FoundQuotes> {
  const quotes = new Map<string, Set<string>>();
  for (const { path, quote } of all) {
    const is_there = desk.isFile(path) || desk.pageAt(path) !== undefined;
    if (quote === undefined || !is_there || quote.length > limits.quote_chars_max) continue;
    quotes.set(path, (quotes.get(path) ?? new Set()).add(quote));
  }
  const limit = pLimit(limits.tools_parallel_max);
  const found = await Promise.all(
    [...quotes].map(
      async ([path, wanted]) => await limit(searchFile, desk, path, [...wanted], signal),
    ),
  );
  return new Set(found.flat().map(keyOf));
}

async function searchFile(
  desk: Desk,
  path: string,
  quotes: readonly string[],
  signal: AbortSignal,
): Promise<Evidence[]> {
  const answers = await desk.quotesIn(path, quotes, signal);
  return quotes.filter((_, index) => answers?.[index] === true).map((quote) => ({ path, quote }));
}

function faultOf(
  desk: Desk,
  criterion: Criterion,
  evidence: Evidence,
  { found, verdict }: { readonly found: FoundQuotes; readonly verdict: Entry['verdict'] },
): string | undefined {
  const { path, quote } = evidence;
  const is_page = desk.pageAt(path) !== undefined;
  if (!desk.isFile(path) && !desk.isFolder(path) && !is_page) {
    return 'there is no such file, folder or fetched page';
  }
  if (desk.isShown(path)) return undefined;
  if (quote !== undefined) return quoteFault(quote, found.has(keyOf(evidence)));
  if (verdict !== 'met' || speaksOfFiles(criterion)) return undefined;
  if (desk.isFolder(path)) return 'a folder is evidence only for a criterion that speaks of files';
  if (!speaksOfWhole(criterion)) return 'quote the passage that shows it, word for word';
  if (is_page || desk.isCovered(path)) return undefined;
  return 'you have not read this file to its end';
}

function quoteFault(quote: string, is_found: boolean): string | undefined {
  const shown = JSON.stringify(quote.slice(0, 80));
  if (quote.length > limits.quote_chars_max) {
    return `a quote must have at most ${limits.quote_chars_max} characters`;
  }
  if (folded(quote).length < QUOTE_CHARS_MIN)
    return `the quote ${shown} is too short to show anything`;
  if (!is_found) return `the quote ${shown} does not stand in it`;
  if (speaksToGrader(quote)) {
    return `the quote ${shown} speaks about the grading itself; such words fulfil no criterion`;
  }
  return undefined;
}

/** Shorter ones stand in every text. */
const QUOTE_CHARS_MIN = 4;

const FILES =
  /\bfiles?\b|\bfolders?\b|\bdirector(y|ies)\b|\bfile ?names?\b|\b(named|called|saved|stored|exists?|delivered)\b|\b\d+ ?[kmg]i?b\b|\bformat\b|(^|[\s`"'(*])\.[a-z]{2,5}\b|\w\.[a-z]{2,5}\b|\/mnt\//i;

/** Whether names, sizes and hashes of files can answer a criterion. */
export function speaksOfFiles({ text }: Criterion): boolean {
  return FILES.test(text);
}

const WHOLE =
  /\b(no|not|none|never|without|free of|absen(t|ce)|avoids?|excludes?|all|every|each|any|only|whole|entire(ly)?|complete(ly|ness)?|throughout|consistent(ly)?|at most|no more than|fewer than|less than)\b|n't\b/i;

/** Whether no single passage can show that a criterion is met. */
export function speaksOfWhole({ text }: Criterion): boolean {
  return WHOLE.test(text);
}

/**
 * Words by which a deliverable tries to talk a grader round: a second wall behind the grader's own
 * judgement. Narrow, because work may speak of passed tests, of requirements that are met, and of
 * models and their instructions; when it is hit all the same, another passage is asked for.
 */
const ADDRESSES = [
  /\b(ignore|disregard|forget|override)\b[^.]{0,60}\b(rubric|criteri\w+|instructions?|grading|graders?)\b/i,
  /\b(mark|grade|rate|judge|count|treat|consider|accept|set|return|report|score)\b[^.]{0,80}\b(as|to|to be)\s+["']?(fully |all )?(met|satisfied|passed|passing|fulfilled|pass)\b/i,
  /\b(all|every|each|this|these|the) (of the )?(criteri\w+|rubrics?)\b[^.]{0,60}\b(met|satisfied|fulfilled|passed)\b/i,
  /\b(verdict|result)["']?\s*[:=]\s*["']?(met|satisfied)\b/i,
  /\b(dear|note to|attention,?) (the )?(grader|evaluator|judge|reviewer|model|assistant|ai)\b/i,
  /\byou are (now )?(a|an|the)?\s*(grader|evaluator)\b/i,
  /\b(graders?|evaluators?) (must|should|shall|has to|have to|will|may|can)\b/i,
  /\bsubmit_verdict\b|<\/?(deliverable|rubric|criteria)\b/i,
];

export function speaksToGrader(quote: string): boolean {
  const text = folded(quote);
  return ADDRESSES.some((pattern) => pattern.test(text));
}
