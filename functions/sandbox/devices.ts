import type { CommandContext, ExecResult } from 'just-bash';
import { randomBytes } from 'node:crypto';
import { limits } from '#shared/core/limits.ts';

/** Files without an end. */
const endless: Readonly<Record<string, (size_bytes: number) => Buffer>> = {
  '/dev/random': randomBytes,
  '/dev/urandom': randomBytes,
  '/dev/zero': (size_bytes) => Buffer.alloc(size_bytes),
};

/** Those of which a beginning is of use to whoever reads a file whole, as the interpreter's commands do. */
export const randoms: ReadonlySet<string> = new Set(['/dev/random', '/dev/urandom']);

/** What gives bytes of a device without an end; undefined for every other path. */
export function endlessBytes(path: string): ((size_bytes: number) => Buffer) | undefined {
  return Object.hasOwn(endless, path) ? endless[path] : undefined;
}

/** Random bytes, anew with each read. */
export function someRandom(): Uint8Array {
  return randomBytes(limits.random_device_bytes);
}

const units = new Map([
  ['', 1],
  ['b', 512],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
]);

/** `-c 5`, `-c5K`, `--bytes=5`, as one text. */
const COUNT = /^(?:-c|--bytes=?)(\d+)([bkmg]?)(?:ib)?$/i;

/** `head -c COUNT DEVICE`: exactly so many bytes; undefined for everything else. */
export function headOfDevice(args: readonly string[], { cwd, fs }: CommandContext) {
  const device = args.find((arg) => Object.hasOwn(endless, fs.resolvePath(cwd, arg)));
  const [, digits, unit = ''] = COUNT.exec(args.filter((arg) => arg !== device).join('')) ?? [];
  if (device === undefined || digits === undefined) return undefined;
  const size_bytes = Number(digits) * (units.get(unit.toLowerCase()) ?? 1);
  if (size_bytes > limits.device_head_bytes_max) {
    const stderr = `head: ${device}: at most ${limits.device_head_bytes_max} bytes at a time\n`;
    return { stdout: '', stderr, exitCode: 1 };
  }
  const bytes = endless[fs.resolvePath(cwd, device)]?.(size_bytes);
  const said: ExecResult = { stdout: bytes?.toString('latin1') ?? '', stderr: '', exitCode: 0 };
  return { ...said, stdoutKind: 'bytes' as const };
}
