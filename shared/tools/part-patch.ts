import type { PatchPart, SentEntry, SentPart } from './sandbox.ts';

/** A part that was put into the bucket. */
export interface PartBase {
  readonly key: string;
  readonly entries: ReadonlyMap<string, SentEntry>;
  /** When the URLs in it must be made anew. */
  readonly until_ms: number;
}

/** What makes `part` of the base, so that a write does not send thousands of entries again. */
export function patchOf(base: PartBase, part: SentPart): Omit<PatchPart, 'base_url'> {
  const gone = new Set(base.entries.keys());
  const objects = new Map<string, number>();
  const entries: SentEntry[] = [];
  for (const entry of part.entries) {
    gone.delete(entry.path);
    if (!isSame(base.entries.get(entry.path), entry)) entries.push(placed(entry, part, objects));
  }
  return { gone: [...gone], entries, objects: [...objects.keys()] };
}

/** The entry, pointing into the patch's own objects. */
function placed(entry: SentEntry, { objects }: SentPart, own: Map<string, number>): SentEntry {
  if (entry.kind !== 'file' || !('object' in entry.content)) return entry;
  const url = objects[entry.content.object] ?? '';
  const object = own.get(url) ?? own.size;
  own.set(url, object);
  return { ...entry, content: { ...entry.content, object } };
}

function isSame(a: SentEntry | undefined, b: SentEntry): boolean {
  if (a?.mode !== b.mode || a.modified_at !== b.modified_at) return false;
  if (a.kind === 'file' && b.kind === 'file') return a.sha256 === b.sha256;
  if (a.kind === 'link' && b.kind === 'link') return a.target === b.target;
  return a.kind === b.kind;
}
