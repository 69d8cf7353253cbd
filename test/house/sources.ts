import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every file that is or would be committed, by its path from the root. */
export function files(): string[] {
  const flags = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', flags, { cwd: root, encoding: 'utf8' }).split('\0');
  // A file that was deleted and is not committed yet is still listed.
  return listed.filter((file) => file !== '' && existsSync(join(root, file)));
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Every TypeScript file of the four rooms. */
export function sources(room = /^(infra|functions|shared|test)\//): string[] {
  return files().filter((file) => room.test(file) && /\.[mc]?ts$/.test(file));
}

export interface Import {
  /** `shared/core/id.ts` for our own files, the package's name for others, `node:…` for Node's. */
  readonly to: string;
  readonly type_only: boolean;
  /** The statement, on one line. */
  readonly text: string;
}

const STATEMENT =
  /^(?:import|export)\s(?:(type)\s)?(?:[^;'"]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** Everything that a file imports, also by `export … from` and `import()`. */
export function importsOf(file: string): Import[] {
  return [...read(file).matchAll(STATEMENT)].map(([text, type, from, dynamic]) => ({
    to: target(file, from ?? dynamic ?? ''),
    type_only: type !== undefined,
    text: text.replace(/\s+/g, ' '),
  }));
}

function target(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier);
  if (specifier.startsWith('#')) return specifier.slice(1);
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return builtinModules.includes(name) ? `node:${name}` : name;
}
