import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { BootError } from '../infra/local/boot-error.ts';

/** A wrong argument: shown with the help, where anything else is shown whole. */
export class Misuse extends Error {}

/** The arguments of this process. @throws Misuse for one that there is not */
export function argsOf<const Options extends ParseArgsOptionsConfig>(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (cause) {
    throw new Misuse(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** @throws Misuse for what is no whole number within the bounds */
export function wholeNumber(
  name: string,
  text: string,
  [least, most]: readonly [number, number] = [0, 2 ** 31],
): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) {
    return number;
  }
  throw new Misuse(`--${name} is '${text}', not a number from ${least} to ${most}.`);
}

/** Run a program: what keeps it from running is said, and its exit code is 2 then. */
export async function command(help: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (cause instanceof Misuse) console.error(`${cause.message}\n\n${help}`);
    else console.error(cause instanceof BootError ? cause.message : cause);
    // What still runs belongs to work that is lost: it would keep the process, and a processor, for ever.
    process.exit(2);
  }
}

/** A folder that goes with the process, also where Ctrl-C has ended it before its work was done. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `reverie-${name}-`));
  if (folders.length === 0) process.once('exit', removeFolders);
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

function removeFolders(): void {
  // What is still being written there may need another look.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Ends what can be ended early at the first Ctrl-C, and the process at the second. */
export function stoppedBy(sentence: string): AbortSignal {
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    console.error(`${sentence} (again to end at once)`);
    stopping.abort();
    process.once('SIGINT', () => process.exit(130));
  });
  return stopping.signal;
}
