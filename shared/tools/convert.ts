import * as z from 'zod';

/**
 * A file read without changing anything, as text where it has one: for readers that get no shell.
 * Strangers' documents are parsed in the sandbox, where nothing can be stolen.
 */
export const ConvertCall = z.strictObject({
  tool: z.literal('convert'),
  path: z.string(),
  /** Where the piece begins, in characters of the text. */
  offset: z.int().nonnegative(),
  /** The piece's length at most. */
  chars_max: z.int().positive(),
  /** Passages to look for in the whole text; with them, no image and no document comes as itself. */
  quotes: z.array(z.string()),
});
export type ConvertCall = z.infer<typeof ConvertCall>;

/** What a text block of the answer holds, as JSON; an image or a PDF comes as its own block. */
export const Converted = z.strictObject({
  /** `media`: an image or a PDF, whose text is not known. */
  kind: z.enum(['text', 'docx', 'xlsx', 'pptx', 'media']),
  /** What the text does not show. */
  notes: z.array(z.string()),
  total_chars: z.int().nonnegative(),
  /** The piece from `offset` on. */
  text: z.string(),
  /** Whether each quote stands in the text. */
  found: z.array(z.boolean()),
});
export type Converted = z.infer<typeof Converted>;

/** A text as quotes are compared: without differences that copying makes. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replaceAll(/[\u2018-\u201b\u2039\u203a]/g, "'")
    .replaceAll(/[\u201c-\u201f\u00ab\u00bb]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
