import { Fault } from '../core/fault.ts';
import { isInside, normalPath, resolvePath, roots, standing } from '../files/path.ts';

/** Where memory stores are mounted; nothing else is. */
const stores = '/mnt/memory';

/** A file name's bound less what a suffix takes. */
const SLUG_CHARS_MAX = 240;

/**
 * The place that a client wants for a file or a repository.
 *
 * @param field The parameter's name, for the message.
 * @throws Fault `invalid` unless it is absolute, plain, below a root of the session, and free to
 *   be mounted upon
 */
export function mountPath(path: string, field: string): string {
  if (!path.startsWith('/')) {
    throw new Fault('invalid', `${field}: must be an absolute path like /workspace/data.csv.`);
  }
  if (/\p{Cc}/u.test(path)) {
    throw new Fault('invalid', `${field}: must not hold control characters.`);
  }
  if (named(field, () => resolvePath('/', path)) !== path) {
    throw new Fault(
      'invalid',
      `${field}: must be written out, without '.', '..', empty parts or a slash at its end.`,
    );
  }
  named(field, () => normalPath(path));
  if (isInside(path, [stores])) {
    throw new Fault('invalid', `${field}: ${stores} is kept for memory stores. Choose another.`);
  }
  const is_taken = [...roots, ...standing].some((folder) => isInside(folder, [path]));
  if (is_taken) {
    throw new Fault('invalid', `${field}: '${path}' is a folder of every session. Go below it.`);
  }
  return path;
}

/** A refusal of a path names the field that it stands in. */
function named(field: string, judge: () => string): string {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.kind, `${field}: ${error.message}`, { cause: error });
  }
}

/**
 * Where a file goes that a client wants at a path outside of the session's folders, as the hosted API
 * has it: `/data.csv`, `/uploads/data.csv` and, as in the SDK's own example, `data.csv` are all
 * `/mnt/session/uploads/data.csv`.
 */
export function uploadPath(given: string): string {
  const path = given.startsWith('/') ? given : `/${given}`;
  if (isInside(path, roots)) return path;
  return isInside(path, ['/uploads']) ? `/mnt/session${path}` : `/mnt/session/uploads${path}`;
}

/** A place that is taken, and whether other places may lie below it. */
export interface Taken {
  readonly path: string;
  readonly is_folder: boolean;
}

/**
 * @param field Where the client has said the path, or not: the message names it.
 * @throws Fault `invalid` when the path is taken, or is a folder of what is, or lies below a file
 */
export function checkFree(
  field: string,
  { path, is_folder }: Taken,
  taken: readonly Taken[],
): void {
  for (const other of taken) {
    const is_same = other.path === path;
    const is_below = !other.is_folder && isInside(path, [other.path]);
    const is_above = !is_folder && isInside(other.path, [path]);
    if (is_same || is_below || is_above) {
      throw new Fault(
        'invalid',
        `${field}: '${path}' and '${other.path}' cannot both be there. Choose another path.`,
      );
    }
  }
}

/**
 * The folder of a memory store: its name in lower case, every run of other characters than ASCII
 * letters and digits one hyphen. Stores whose names fall together get `-2`, `-3` … in their order.
 */
export function storePath(name: string, taken: ReadonlySet<string>): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const slug = plain === '' ? 'memory' : plain.slice(0, SLUG_CHARS_MAX);
  for (let number = 1; ; number++) {
    const path = `${stores}/${slug}${number === 1 ? '' : `-${number}`}`;
    if (!taken.has(path)) return path;
  }
}
