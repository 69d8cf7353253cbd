/** What a file can be in a message. */
export type SourceKind = 'image' | 'pdf' | 'text';

const images = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** Undefined for what a model cannot read: such a file can only be mounted. */
export function sourceKind(mime_type: string): SourceKind | undefined {
  if (images.has(mime_type)) return 'image';
  if (mime_type === 'application/pdf') return 'pdf';
  return mime_type.startsWith('text/') ? 'text' : undefined;
}
