import { closeSync, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** What a `kill -9` of the host may lose of a log. */
const delay_ms = 50;

/**
 * A log that is appended to some times a second: a system call for each of a turn's eight lines took
 * a fifth of the host's own time.
 */
export class LogFile extends Writable {
  readonly #file: number;
  #lines: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    super();
    this.#file = openSync(path, 'a');
  }

  override _write(line: Buffer, _encoding: string, done: () => void): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => this.#flush(), delay_ms).unref();
    done();
  }

  override _final(done: () => void): void {
    this.#flush();
    closeSync(this.#file);
    done();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length === 0) return;
    try {
      writeSync(this.#file, Buffer.concat(lines));
    } catch {
      // On a full disk the lines are lost, and not the host: who calls is told by what else cannot be written.
    }
  }
}
