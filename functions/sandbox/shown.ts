import { isPlaybookPath } from '#shared/playbooks/playbook.ts';
import type { ReplyContent } from './file-tools.ts';
import type { FolderNode, Tree } from './tree.ts';

/** Shorter lines stand in every text. */
const LINE_CHARS_MIN = 8;

/**
 * The playbooks below mounts that an answer shows: half of their lines, below the front matter, at
 * least. Only what the call has loaded is looked at, and what it has changed is its own words.
 */
export function shownPlaybooks(
  tree: Tree,
  mounted: readonly string[],
  content: ReplyContent,
): string[] {
  const answer = content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
  if (answer === '') return [];
  return mounted.flatMap((mount) => {
    const folder = tree.walk(`${mount}/playbooks`, false).node;
    if (folder?.kind !== 'folder') return [];
    return loadedIn(folder)
      .filter(({ name, text }) => isPlaybookPath(`/playbooks/${name}`) && isShown(text, answer))
      .map(({ name }) => `${mount}/playbooks/${name}`);
  });
}

function loadedIn({ children }: FolderNode): { readonly name: string; readonly text: string }[] {
  return [...children].flatMap(([name, node]) => {
    const is_loaded = node.kind === 'file' && node.bytes !== undefined && node.origin !== undefined;
    return is_loaded ? [{ name, text: Buffer.from(node.bytes ?? []).toString('utf8') }] : [];
  });
}

function isShown(text: string, answer: string): boolean {
  const steps = text.replace(/^---\n[^]*?\n---\n/, '');
  const lines = steps
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= LINE_CHARS_MIN);
  const shown = lines.filter((line) => answer.includes(line));
  return lines.length > 0 && shown.length * 2 >= lines.length;
}
