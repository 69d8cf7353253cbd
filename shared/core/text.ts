import * as z from 'zod';

/** A character is at most two units of UTF-16. */
const UNITS_PER_CHAR = 2;

/**
 * Whether a text has at most so many characters, as people and the reference of the API count them. `length`
 * counts units of UTF-16, of which an emoji or a rare Chinese character is two.
 */
export function hasAtMost(chars_max: number, text: string): boolean {
  if (text.length <= chars_max) return true;
  // So nobody's megabytes are counted to be refused.
  return text.length <= chars_max * UNITS_PER_CHAR && Array.from(text).length <= chars_max;
}

/** A text of at most so many characters: see {@link hasAtMost}. */
export function textUpTo(chars_max: number) {
  return z.string().superRefine((value, context) => {
    if (hasAtMost(chars_max, value)) return;
    context.addIssue({ code: 'too_big', origin: 'string', maximum: chars_max, inclusive: true });
  });
}

/**
 * The first so many units of UTF-16, or one less where the last would be half of a character: half a pair has
 * no UTF-8, so no row and no model takes a text that ends with it.
 */
export function upToUnits(text: string, units_max: number): string {
  return text.slice(0, units_max).replace(/[\uD800-\uDBFF]$/, '');
}

/** The first so many characters of a text, none of them cut in two: see {@link hasAtMost}. */
export function beginningOf(text: string, chars_max: number): string {
  if (text.length <= chars_max) return text;
  return Array.from(text.slice(0, chars_max * UNITS_PER_CHAR))
    .slice(0, chars_max)
    .join('');
}
