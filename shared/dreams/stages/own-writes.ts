import { isDeepStrictEqual } from 'node:util';
import type { Ports } from '../../core/ports.ts';
import { sha256Of } from '../../memory/content.ts';
import { readHistory } from '../../memory-history/read-history.ts';
import type { DreamHead } from '../dream.ts';
import type { Edit } from '../report.ts';
import { dreamer } from './pipeline-session.ts';

/** What a dream has written into a store, by the store's versions: whoever died before it was told. */
export class OwnWrites {
  readonly #written: ReadonlySet<string>;

  private constructor(written: ReadonlySet<string>) {
    this.#written = written;
  }

  static async read(ports: Ports, head: DreamHead, store_id: string): Promise<OwnWrites> {
    const author = dreamer(head);
    const written = new Set<string>();
    for await (const versions of readHistory(ports, store_id, head.created_at)) {
      for (const { created_by, path, content_sha256 } of versions) {
        if (isDeepStrictEqual(created_by, author)) written.add(nameOf(path, content_sha256));
      }
    }
    return new OwnWrites(written);
  }

  has({ path, after }: Pick<Edit, 'path' | 'after'>): boolean {
    return this.#written.has(nameOf(path, after === null ? null : sha256Of(after)));
  }

  get isEmpty(): boolean {
    return this.#written.size === 0;
  }
}

/** A text at a path; null for one that ended there. */
function nameOf(path: string | null, sha256: string | null): string {
  return `${sha256} ${path}`;
}
