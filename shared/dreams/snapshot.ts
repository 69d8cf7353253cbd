/** A memory as a dream has found it. */
export interface SnapshotMemory {
  readonly memory_id: string;
  readonly memory_version_id: string;
  readonly path: string;
  readonly text: string;
  /** When its words were written, in whatever store. */
  readonly updated_at: string;
  /** The newest version is by a person or an API key, not by a session or a dream. */
  readonly by_hand: boolean;
  /** That version is redacted: neither text nor path are left of it. @default - it is not */
  readonly redacted?: true;
}

/** A store at the moment when the dream began; nothing that a dream proposes goes by anything newer. */
export interface Snapshot {
  readonly memory_store_id: string;
  /** By path; paths are unique. */
  readonly memories: readonly SnapshotMemory[];
}
