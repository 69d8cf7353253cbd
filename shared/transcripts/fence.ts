/**
 * Text in a block of code that it cannot end: the fence is longer than every run of backticks in
 * it. Nothing else holds what strangers wrote: from a quote, HTML and link definitions break out.
 */
export function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}\n`;
}

/**
 * What Markdown or HTML may take for its own within a line, what makes an address of a text (`www.`,
 * `://`), and what makes a list or a heading of its beginning. Nothing else: people read the source, too.
 */
const MARKS = /[\\`*_[\]<>&!~|#@$]|:(?=\/)|(?<=[\p{L}\p{N}])\.(?=\p{L})|^[-+=]|(?<=^\d{1,9})[.)]/gu;

/** A name or a title within a line: one line, and no mark-up. */
export function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .replace(MARKS, String.raw`\$&`);
}
