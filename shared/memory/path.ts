import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';

/** Control and format characters, the two separators, and surrogates without their other half. */
const ODD = /[\p{Cc}\p{Cf}\u2028\u2029\p{Cs}]/u;

/**
 * What is wrong with a path of a memory, as a sentence; undefined when it is one.
 * Source: doc comments of the SDK's `MemoryCreateParams`.
 */
export function faultOfPath(path: string): string | undefined {
  if (!path.startsWith('/')) return "must start with '/'.";
  if (Buffer.byteLength(path) > limits.memory_path_bytes_max) {
    return `must have at most ${limits.memory_path_bytes_max} bytes.`;
  }
  if (ODD.test(path)) {
    return 'must not hold control or format characters, U+2028, U+2029 or half a surrogate pair.';
  }
  if (path.normalize('NFC') !== path) return 'must be in Unicode Normalization Form C.';
  const segments = path.slice(1).split('/');
  if (segments.length > limits.memory_path_segments_max) {
    return `must have at most ${limits.memory_path_segments_max} segments.`;
  }
  if (segments.includes('')) return "must not have an empty segment or end with '/'.";
  if (segments.includes('.') || segments.includes('..')) {
    return "must not have a segment '.' or '..'.";
  }
  return undefined;
}

/** @throws Fault `invalid` for what is no path of a memory */
export function checkPath(path: string): void {
  const fault = faultOfPath(path);
  if (fault !== undefined) throw new Fault('invalid', `path: ${fault}`);
}

/** The folders that lead to a path, the outermost first: `/a` and `/a/b` of `/a/b/c`. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    folders.push(path.slice(0, end));
  }
  return folders;
}

/**
 * The sort keys of everything below a folder, inclusive: the upper one, which ends in the character
 * after '/', is itself not below it. The root is the empty text.
 */
export function rangeBelow(folder: string): { readonly from: string; readonly to: string } {
  return { from: `${folder}/`, to: `${folder}0` };
}
