import { limits } from '../core/limits.ts';
import { folded } from '../tools/convert.ts';

/** Shorter ones stand in every text. A sign of a script that writes words with one or two says as much as two. */
const QUOTE_CHARS_MIN = 8;
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;

/**
 * Whether a passage stands in an event, word for word: only white space and the forms of quotation
 * marks and dashes may differ, and what JSON escapes.
 */
export function quoteStands(quote: string, text: string): boolean {
  const wanted = folded(quote);
  const chars = wanted.length + (wanted.match(DENSE)?.length ?? 0);
  if (chars < QUOTE_CHARS_MIN || quote.length > limits.quote_chars_max) return false;
  return folded(text).includes(wanted) || folded(unescaped(text)).includes(wanted);
}

/** Where a mail that is passed on begins. */
const PASSED_ON =
  /^[-_ ]*(?:begin )?(?:original|forwarded|ursprüngliche|weitergeleitete|message (?:transféré|d'origine))[^\n]*$|^(?:from|von|de|from):[^\n]+\n(?:[\w -]+:[^\n]*\n)*(?:subject|betreff|objet|asunto):/im;

/**
 * Whether a passage stands in what its speaker only passes on: lines that begin with `>`, or below
 * the head of a mail.
 */
export function standsInQuotation(quote: string, text: string): boolean {
  const lines = text.split('\n').filter((line) => /^\s*>/.test(line));
  const begins = PASSED_ON.exec(text)?.index ?? text.length;
  const bare = (words: string): string => folded(words.replaceAll(/^\s*>[\s>]*/gm, ''));
  const passed_on = [lines.join('\n'), text.slice(begins)].map(bare);
  return passed_on.some((words) => words.includes(bare(quote)));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(["\\/nrt])/g, (_, char: string) =>
    char === 'n' || char === 'r' || char === 't' ? ' ' : char,
  );
}
