import { createHash } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';
import { isInside, roots, standing, type Mount } from '#shared/files/path.ts';
import type { SandboxChange, SentEntry } from '#shared/tools/sandbox.ts';
import type { FileNode, FolderNode, Node, Tree } from './tree.ts';

/** A file whose content no entry of the request has. */
export interface NewBytes {
  readonly change: Omit<Extract<SandboxChange, { kind: 'file' }>, 'content'>;
  readonly bytes: Uint8Array;
}

/** What a call began with. */
interface Before {
  readonly entries: readonly SentEntry[];
  readonly mounts: readonly Mount[];
}

/**
 * What a call did, as the difference between the tree and the entries that it began with.
 *
 * @param upload Stores contents that are too large for a reply.
 */
export async function changesOf(
  tree: Tree,
  before: Before,
  upload: (bytes: Uint8Array) => Promise<void>,
): Promise<SandboxChange[]> {
  const difference = new Difference(before);
  visit(tree.root, '', (path, node) => difference.see(path, node));
  const { changes, fresh } = difference.finish();
  return [...changes, ...(await sendContents(fresh, upload))];
}

/** Every node of the session, folders before what they hold; not the interpreter's own. */
function visit(folder: FolderNode, path: string, see: (path: string, node: Node) => void): void {
  for (const [name, node] of folder.children) {
    const here = `${path}/${name}`;
    const is_session = isInside(here, roots);
    if (is_session) see(here, node);
    const leads_there = is_session || roots.some((root) => isInside(root, [here]));
    if (node.kind === 'folder' && leads_there) visit(node, here, see);
  }
}

class Difference {
  readonly #base: ReadonlyMap<string, SentEntry>;
  readonly #by_hash: ReadonlyMap<string, string>;
  readonly #unseen: Set<string>;
  /** Folders that are there without an entry. */
  readonly #standing: ReadonlySet<string>;
  readonly #changes: SandboxChange[] = [];
  readonly #fresh: NewBytes[] = [];

  constructor({ entries, mounts }: Before) {
    this.#standing = new Set([...standing, ...mounts.map(({ path }) => path)]);
    this.#base = new Map(entries.map((entry) => [entry.path, entry]));
    this.#by_hash = new Map(
      entries.flatMap((entry) =>
        entry.kind === 'file' ? [[entry.sha256, entry.path] as const] : [],
      ),
    );
    this.#unseen = new Set(this.#base.keys());
  }

  see(path: string, node: Node): void {
    this.#unseen.delete(path);
    const base = this.#base.get(path);
    if (node.kind === 'file') this.#seeFile(path, node, base);
    else if (node.kind === 'folder') this.#seeFolder(path, node, base);
    else if (base?.kind !== 'link' || base.target !== node.target) {
      this.#changes.push({ kind: 'link', ...namedOf(path, node), target: node.target });
    }
  }

  #seeFile(path: string, node: FileNode, base: SentEntry | undefined): void {
    const named = namedOf(path, node);
    const size_bytes = node.size_bytes;
    if (node.origin !== undefined) {
      const { sha256 } = node.origin;
      const is_same =
        node.origin === base && base.mode === node.mode && base.modified_at === named.modified_at;
      if (is_same) return;
      const content = { same_as: node.origin.path };
      this.#changes.push({ kind: 'file', ...named, size_bytes, sha256, content });
      return;
    }
    const bytes = node.bytes ?? new Uint8Array();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    // Written again with what it held: no change, and nothing for another thread to collide with.
    if (base?.kind === 'file' && base.sha256 === sha256 && base.mode === node.mode) return;
    const same_as = this.#by_hash.get(sha256);
    const change = { kind: 'file' as const, ...named, size_bytes, sha256 };
    if (same_as === undefined) this.#fresh.push({ change, bytes });
    else this.#changes.push({ ...change, content: { same_as } });
  }

  /** A folder that a file leads through needs no entry; an empty one does. */
  #seeFolder(path: string, node: FolderNode, base: SentEntry | undefined): void {
    if (this.#standing.has(path)) return;
    const is_kept = base?.kind === 'folder' && base.mode === node.mode;
    const is_implied = base === undefined && node.children.size > 0 && node.mode === 0o755;
    if (!is_kept && !is_implied) this.#changes.push({ kind: 'folder', ...namedOf(path, node) });
  }

  finish(): { readonly changes: SandboxChange[]; readonly fresh: NewBytes[] } {
    const gone = [...this.#unseen].map((path): SandboxChange => ({ path, kind: 'gone' }));
    return { changes: [...this.#changes, ...gone], fresh: this.#fresh };
  }
}

/** Contents in the reply, or in one object when they are too large for it. */
export async function sendContents(
  fresh: readonly NewBytes[],
  upload: (bytes: Uint8Array) => Promise<void>,
): Promise<SandboxChange[]> {
  const total = fresh.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total <= limits.reply_contents_bytes_max) {
    return fresh.map(({ change, bytes }) => ({
      ...change,
      content: { base64: Buffer.from(bytes).toString('base64') },
    }));
  }
  await upload(Buffer.concat(fresh.map(({ bytes }) => bytes)));
  let offset = 0;
  return fresh.map(({ change, bytes }) => {
    const content = { upload_offset: offset };
    offset += bytes.length;
    return { ...change, content };
  });
}

function namedOf(path: string, node: Node) {
  const modified = new Date(node.modified_ms);
  // `touch -d` accepts years that a timestamp cannot name.
  const modified_at = Number.isNaN(modified.getTime()) ? new Date(0) : modified;
  return { path, mode: node.mode, modified_at: modified_at.toISOString() };
}
