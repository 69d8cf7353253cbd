import type { PatchPart, SandboxRequest, SentPart } from '#shared/tools/sandbox.ts';
import { askStore } from './store.ts';

/** One session has its own files and eight stores; twice that, while they change. */
const KEPT_MAX = 18;

/** Parts that came through the bucket, by URL: the same one names the same part. */
const known = new Map<string, Promise<SentPart>>();

/** The parts of a request, each fetched once. */
export async function partsOf({ parts }: SandboxRequest): Promise<SentPart[]> {
  const found = await Promise.all(
    parts.map(async (part) => {
      if ('url' in part) return [await fetched(part.url)];
      return 'base_url' in part ? [without(await fetched(part.base_url), part), part] : [part];
    }),
  );
  return found.flat();
}

/** What is left of a base, without what its patch has anew or not at all. */
function without({ entries, objects }: SentPart, patch: PatchPart): SentPart {
  const replaced = new Set([...patch.gone, ...patch.entries.map(({ path }) => path)]);
  return { entries: entries.filter(({ path }) => !replaced.has(path)), objects };
}

async function fetched(url: string): Promise<SentPart> {
  const part = known.get(url) ?? load(url);
  known.delete(url);
  known.set(url, part);
  const [oldest] = known.keys();
  if (known.size > KEPT_MAX && oldest !== undefined) known.delete(oldest);
  try {
    return await part;
  } catch (error) {
    known.delete(url);
    throw error;
  }
}

async function load(url: string): Promise<SentPart> {
  const response = await askStore(url);
  if (!response.ok) throw new Error(`the store answered ${response.status}`);
  return (await response.json()) as SentPart;
}
