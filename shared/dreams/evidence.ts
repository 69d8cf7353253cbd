import { limits } from '../core/limits.ts';
import { folded } from '../tools/convert.ts';

/** Shorter ones stand in every text. */
const QUOTE_CHARS_MIN = 8;

/**
 * Whether a passage stands in an event, word for word: only white space and the forms of quotation
 * marks and dashes may differ, and what JSON escapes.
 */
export function quoteStands(quote: string, text: string): boolean {
  const wanted = folded(quote);
  if (wanted.length < QUOTE_CHARS_MIN || quote.length > limits.quote_chars_max) return false;
  return folded(text).includes(wanted) || folded(unescaped(text)).includes(wanted);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\/nrt])/g, (_, char: string) =>
    char === 'n' || char === 'r' || char === 't' ? ' ' : char,
  );
}
