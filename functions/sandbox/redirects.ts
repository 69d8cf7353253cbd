import type { SimpleCommandNode } from 'just-bash';

type Redirection = SimpleCommandNode['redirections'][number];

/** A descriptor that no script uses. */
const FD = 199;

const writing: ReadonlySet<string> = new Set(['>', '>>', '>|', '&>', '&>>']);

/** Parts of a target that say the same when they are expanded a second time. */
const steady: ReadonlySet<string> = new Set([
  'Literal',
  'SingleQuoted',
  'Escaped',
  'TildeExpansion',
]);

/** `set -o noclobber`, `set -C`: then a file that was opened first would be one that is there already. */
const NOCLOBBER = /noclobber|"value":"-[a-zA-Z]*C/;

/** Whether a script, or the state that it begins with, may forbid to write over a file. */
export function protectsFiles(script: unknown, state = ''): boolean {
  return NOCLOBBER.test(state) || NOCLOBBER.test(JSON.stringify(script));
}

/**
 * Open for appending whatever is written to, before it is. The interpreter takes it for sure that its
 * own opening of `> file` succeeds, and a failure would end the whole command without its output; of a
 * descriptor with a number it looks, and then the redirection fails as in every shell. Changes the tree.
 */
export function openFirst(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('redirections' in node && Array.isArray(node.redirections)) {
    node.redirections = (node.redirections as Redirection[]).flatMap((one) =>
      isTried(one) ? [{ ...one, fd: FD, operator: '>>' as const }, one] : [one],
    );
  }
  for (const inside of Object.values(node)) openFirst(inside);
}

function isTried({ operator, fd, fdVariable, target }: Redirection): boolean {
  const is_standard = fd === null || fd === 1 || fd === 2;
  return writing.has(operator) && is_standard && fdVariable === undefined && isSteady(target);
}

function isSteady(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || !('type' in part)) return false;
  if (part.type === 'ParameterExpansion') return 'operation' in part && part.operation === null;
  if (part.type !== 'Word' && part.type !== 'DoubleQuoted') return steady.has(String(part.type));
  return 'parts' in part && Array.isArray(part.parts) && part.parts.every(isSteady);
}
