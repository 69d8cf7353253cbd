import type { CommandContext, ExecResult } from 'just-bash';
import { limits } from '#shared/core/limits.ts';
import { quoted } from './command.ts';
import type { SessionFs } from './session-fs.ts';
import { FsFault } from './tree.ts';

/** Where a program of Python's writes what it asks, and reads what it is answered. */
export const ASK_PATH = '/dev/.ask';
export const ANSWER_PATH = '/dev/.answer';

/** What a program may ask: each with its own fields, and bytes behind them. */
interface Ask {
  readonly op: string;
  readonly path: string;
  readonly to: string;
  readonly offset: number;
  readonly length: number;
  readonly size: number;
  readonly at: number;
  readonly command: string | null;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeout_ms: number | null;
}

/** A program begins a program, and that one a third: each has a heap of its own. */
const DEPTH_MAX = 3;

/**
 * Answers what one program of Python's asks of the session: parts of files, its output, and commands. The
 * engine knows files as wholes only, so a question is the content of one file and the answer of another.
 */
export class PythonAsks {
  /** What the program wrote to its standard output. */
  readonly output: Buffer[] = [];
  #output_bytes = 0;
  #answer: Uint8Array = new Uint8Array();
  /** The file that grows, with room behind what it holds: each part would copy all that came before. */
  #growing: { readonly room: Buffer; readonly seen: Uint8Array } | undefined;
  readonly #fs: SessionFs;
  readonly #ctx: CommandContext;
  /** How many programs this one runs in. */
  readonly depth: number;

  /** @param outer Those of the program that has begun this one. */
  constructor(fs: SessionFs, ctx: CommandContext, outer: PythonAsks | undefined) {
    this.#fs = fs;
    this.#ctx = ctx;
    this.depth = outer === undefined ? 0 : outer.depth + 1;
  }

  get answer(): Uint8Array {
    return this.#answer;
  }

  /** @param told A line of JSON, and what belongs to it. */
  async ask(told: Uint8Array): Promise<void> {
    // The engine empties a file before it writes one.
    if (told.length === 0) return;
    const bytes = Buffer.from(told);
    const end = bytes.indexOf('\n');
    try {
      const ask = JSON.parse(bytes.subarray(0, end).toString('utf8')) as Ask;
      const said = await this.#answers(ask, bytes.subarray(end + 1));
      this.#answer = Buffer.concat([Buffer.from('+'), said]);
    } catch (error) {
      if (!(error instanceof FsFault)) throw error;
      this.#answer = Buffer.from(`-${error.code} ${error.text}`);
    }
  }

  async #answers(ask: Ask, payload: Buffer): Promise<Uint8Array> {
    const { path } = ask;
    switch (ask.op) {
      case 'out':
        return this.#write(payload);
      case 'get':
        return (await this.#fs.readFileBuffer(path)).subarray(ask.offset, ask.offset + ask.length);
      case 'put':
        return Buffer.from(String(await this.#put(ask, payload)));
      case 'make':
        if (await this.#fs.exists(path)) throw new FsFault('EEXIST', 'File exists', path);
        return await none(this.#fs.writeFile(path, payload));
      case 'cut':
        return await none(this.#cut(ask));
      case 'move':
        return await none(this.#move(ask));
      case 'link':
        return Buffer.from(await this.#link(path));
      case 'list':
        return Buffer.from(await this.#list(path));
      case 'unlink':
        return await none(this.#fs.rm(path));
      case 'touch':
        return await none(this.#fs.utimes(path, new Date(), new Date(ask.at * 1_000)));
      default:
        return await this.#run(ask, payload);
    }
  }

  #write(payload: Buffer): Uint8Array {
    this.#output_bytes += payload.length;
    if (this.#output_bytes > limits.device_head_bytes_max) {
      throw new FsFault(
        'EFBIG',
        `output of at most ${limits.device_head_bytes_max} bytes`,
        'stdout',
      );
    }
    this.output.push(payload);
    return new Uint8Array();
  }

  /** @returns where what was written ends. */
  async #put({ path, offset }: Ask, payload: Buffer): Promise<number> {
    const is_there = await this.#fs.exists(path);
    if (payload.length === 0 && is_there) return offset;
    const before = is_there ? await this.#fs.readFileBuffer(path) : new Uint8Array();
    const from = offset < 0 ? before.length : offset;
    const size = Math.max(before.length, from + payload.length);
    if (size > limits.file_bytes_max) throw new FsFault('EFBIG', 'File too large', path);
    const whole = this.#roomFor(before, size);
    payload.copy(whole, from);
    await this.#fs.writeFile(path, whole.subarray(0, size));
    const { node } = this.#fs.tree.walk(path, true);
    const seen = node?.kind === 'file' ? node.bytes : undefined;
    this.#growing = seen === undefined ? undefined : { room: whole, seen };
    return from + payload.length;
  }

  #roomFor(before: Uint8Array, size: number): Buffer {
    const room = this.#growing?.seen === before ? this.#growing.room : undefined;
    return room === undefined || room.length < size ? grown(before, size) : room;
  }

  async #cut({ path, size }: Ask): Promise<void> {
    const before = size === 0 ? new Uint8Array() : await this.#fs.readFileBuffer(path);
    if (size > limits.file_bytes_max) throw new FsFault('EFBIG', 'File too large', path);
    const after = Buffer.alloc(size);
    after.set(before.subarray(0, size));
    await this.#fs.writeFile(path, after);
  }

  async #move({ path, to }: Ask): Promise<void> {
    const target = await this.#fs.stat(to).catch(() => undefined);
    const { isDirectory } = await this.#fs.lstat(path);
    if (target?.isDirectory === true && !isDirectory) {
      throw new FsFault('EISDIR', 'Is a directory', to);
    }
    await this.#fs.mv(path, to);
  }

  /** @returns what is to know of a link; the empty text for what is none */
  async #link(path: string): Promise<string> {
    const stat = await this.#fs.lstat(path).catch(() => undefined);
    if (stat?.isSymbolicLink !== true) return '';
    const id = Number(stat.identity?.replace(/^\D*/, ''));
    return JSON.stringify({
      target: await this.#fs.readlink(path),
      at: Math.floor(stat.mtime.getTime() / 1_000),
      id,
    });
  }

  /** @returns the names in a folder, each with its kind */
  async #list(path: string): Promise<string> {
    const entries = await this.#fs.readdirWithFileTypes(path);
    const listed = entries.map(({ name, isDirectory, isSymbolicLink }) => [
      name,
      isSymbolicLink ? 'link' : isDirectory ? 'folder' : 'file',
    ]);
    return JSON.stringify(listed);
  }

  async #run(ask: Ask, payload: Buffer): Promise<Uint8Array> {
    if (this.depth >= DEPTH_MAX)
      throw new FsFault('EAGAIN', 'too many processes in one another', '');
    const { exec, signal } = this.#ctx;
    if (exec === undefined) throw new Error('a program runs in a shell');
    const late = ask.timeout_ms === null ? undefined : AbortSignal.timeout(ask.timeout_ms);
    const signals = [signal, late].filter((one) => one !== undefined);
    const command = ask.command ?? ask.args.map(quoted).join(' ');
    const result = await exec(command, {
      cwd: ask.cwd,
      env: ask.env,
      replaceEnv: true,
      stdin: payload.toString('latin1'),
      stdinKind: 'bytes',
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    });
    const out = bytesSaid(result);
    const head = {
      code: result.exitCode,
      out_bytes: out.length,
      timed_out: late?.aborted === true,
    };
    return Buffer.concat([
      Buffer.from(`${JSON.stringify(head)}\n`),
      out,
      Buffer.from(result.stderr),
    ]);
  }
}

async function none(done: Promise<void>): Promise<Uint8Array> {
  await done;
  return new Uint8Array();
}

function grown(before: Uint8Array, size: number): Buffer {
  const room = Buffer.alloc(Math.min(limits.file_bytes_max, Math.max(size, before.length * 2)));
  room.set(before);
  return room;
}

/** A command's output as bytes, however the interpreter carries it. */
export function bytesSaid({ stdout, stdoutKind, stdoutEncoding }: ExecResult): Buffer {
  const is_bytes = stdoutKind === 'bytes' || stdoutEncoding === 'binary';
  return Buffer.from(stdout, is_bytes ? 'latin1' : 'utf8');
}
