/** Something may stand before a PDF: readers look through the first kilobyte. */
const HEAD_BYTES = 1_026;

/**
 * What the first bytes of a content say it is, of what a model can be shown: people name files wrongly
 * and hosts their answers, and a provider that finds another type than it was told refuses the
 * conversation for good.
 */
export function sniffed(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  if (start.startsWith('\x89PNG\r\n')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^GIF8[79]a/.test(start)) return 'image/gif';
  if (/^RIFF[^]{4}WEBP/.test(start)) return 'image/webp';
  return start.includes('%PDF-') ? 'application/pdf' : undefined;
}
