import { FsFault } from './tree.ts';

/** What the interpreter says of every file that it could not open for writing. */
const UNOPENED = /^bash: (.*): cannot open redirect target$/gm;

/** What fails while a shell runs and is told by nobody, or without its reason. */
export class Failures {
  /** What nobody has told: said behind the output. */
  readonly silent = new Set<string>();
  readonly #unopened = new Map<string, string>();

  /**
   * Write for a shell. The interpreter expects that what it redirects to can be written: an exception
   * would end the whole command and lose its output. Its own writes are told from those of its commands
   * by the proxy that the commands get.
   */
  async write(path: string, write: () => Promise<void>): Promise<void> {
    const is_command = (new Error('trace').stack ?? '').includes('Proxy.');
    try {
      await write();
    } catch (error) {
      if (is_command || !(error instanceof FsFault)) throw error;
      this.silent.add(`bash: ${path}: ${error.text}`);
    }
  }

  /** What could not be opened for writing, and why. */
  unopened(path: string, { text }: FsFault): void {
    this.#unopened.set(path, text);
  }

  /** The errors of a shell, with the reasons why it could not redirect. */
  explain(stderr: string): string {
    return stderr.replace(UNOPENED, (line, target: string) => {
      const name = target.replace(/^(\.\/)+/, '');
      const found = [...this.#unopened].find(
        ([path]) => path === name || path.endsWith(`/${name}`),
      );
      return found === undefined ? line : `bash: ${target}: ${found[1]}`;
    });
  }
}
