import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';

/** Where tools start: relative paths of file tools are below it, and so is a new shell. */
export const workdir = '/workspace';
export const homedir = '/home/user';
export const tool_outputs = '/mnt/session/tool_outputs';

/** Folders that every session has without a row of their own. */
export const standing = [
  workdir,
  homedir,
  '/tmp',
  '/mnt/session',
  '/mnt/session/uploads',
  '/mnt/session/outputs',
  tool_outputs,
  '/mnt/memory',
] as const;

/** What a session may write. Everything else (`/bin`, `/dev`, `/proc`) belongs to the interpreter. */
export const roots = [workdir, homedir, '/tmp', '/mnt/session', '/mnt/memory'] as const;

/** A part of the file system with rules of its own, e.g. a memory store. */
export interface Mount {
  readonly path: string;
  readonly access: 'read_only' | 'read_write';
}

/**
 * The one form of a path: absolute, without `.`, `..`, empty parts and trailing slash.
 *
 * @param path As a tool or a caller wrote it; a relative one is below {@link workdir}.
 * @returns A path at or below one of {@link roots}.
 * @throws Fault `invalid`: the sentence is shown to the model.
 */
export function normalPath(path: string): string {
  const normal = resolvePath(workdir, path);
  if (!isInside(normal, roots)) {
    throw new Fault(
      'invalid',
      `${quote(path)} is outside of the session's files. Use a path below ${roots.join(', ')}.`,
    );
  }
  return normal;
}

/** Resolve `.` and `..` by text alone, as a shell's `cd` does; `..` at the root stays there. */
export function resolvePath(base: string, path: string): string {
  refuseOddPath(path);
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function refuseOddPath(path: string): void {
  if (path === '') throw new Fault('invalid', 'A path must not be empty.');
  // A lone surrogate has no UTF-8 form: two such names would fall together in storage.
  if (path.includes('\0') || !path.isWellFormed()) {
    throw new Fault('invalid', `${quote(path)} holds a character that no file name can have.`);
  }
  if (Buffer.byteLength(path) > limits.path_bytes_max) {
    throw new Fault('invalid', `A path must have at most ${limits.path_bytes_max} bytes.`);
  }
  if (path.split('/').some((part) => Buffer.byteLength(part) > limits.file_name_bytes_max)) {
    throw new Fault(
      'invalid',
      `A file name must have at most ${limits.file_name_bytes_max} bytes.`,
    );
  }
}

/** Whether `path` (in normal form) is one of `folders` or below one. */
export function isInside(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** The mount that makes `path` read-only; the innermost mount decides. */
export function readOnlyMount(path: string, mounts: readonly Mount[]): Mount | undefined {
  const innermost = mounts
    .filter((mount) => isInside(path, [mount.path]))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  return innermost?.access === 'read_only' ? innermost : undefined;
}

/** The folder that holds `path`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function quote(path: string): string {
  return `'${path.slice(0, 200)}'`;
}
