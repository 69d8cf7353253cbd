import { memory_mode, type MountedStore } from './memory-intents.ts';
import type { SentEntry } from './sandbox.ts';
import type { PartSource } from './send-entries.ts';

/** A mounted store as the sandbox sees it: a file for each memory. */
export function memoriesSource(session_id: string, { mount, seen }: MountedStore): PartSource {
  return {
    of: seen,
    at: `${session_id} ${mount.path}`,
    list: () => {
      const keys: string[] = [];
      const entries = [...seen.memories.values()].map((memory): SentEntry => ({
        kind: 'file',
        path: `${mount.path}${memory.sk}`,
        mode: memory_mode,
        modified_at: memory.updated_at,
        size_bytes: memory.content_size_bytes,
        sha256: memory.content_sha256,
        content:
          'text' in memory.content
            ? memory.content
            : { object: keys.push(memory.content.blob) - 1, offset: 0 },
      }));
      return { entries, keys };
    },
  };
}
