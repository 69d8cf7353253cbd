import { limits } from '../core/limits.ts';
import type { Manifest } from './manifest.ts';

/** A manifest as it stands in the bucket; without a tag, none does. */
export interface KnownManifest {
  readonly manifest: Manifest;
  readonly tag: string | undefined;
}

/**
 * The manifests that this process has written last. They may be out of date: the tag finds that out.
 * The oldest go when they weigh too much together.
 */
export class ManifestCache {
  readonly #known = new Map<string, KnownManifest>();
  #segments_count = 0;

  /** It comes back by {@link keep}, when it has been written. */
  take(session_id: string): KnownManifest | undefined {
    const known = this.#known.get(session_id);
    if (known === undefined) return undefined;
    this.#known.delete(session_id);
    this.#segments_count -= segmentsCount(known);
    return known;
  }

  keep(known: KnownManifest): void {
    const { session_id } = known.manifest;
    this.take(session_id);
    this.#known.set(session_id, known);
    this.#segments_count += segmentsCount(known);
    for (const oldest of this.#known.keys()) {
      if (this.#segments_count <= limits.manifests_segments_max) return;
      this.take(oldest);
    }
  }
}

/** At least one, so that the number of manifests is bounded, too. */
function segmentsCount({ manifest }: KnownManifest): number {
  return manifest.threads.reduce((sum, { segments }) => sum + segments.length, 1);
}
