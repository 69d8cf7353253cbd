import { decodeBytesToUtf8, type CommandContext, type ExecResult } from 'just-bash';
import { randomUUID } from 'node:crypto';
import { CommandFailure, inputOf, original, said, type Execute } from './command.ts';

/**
 * `sqlite3` with the commands that begin with a dot, each of which is a syntax error to the interpreter's:
 * modes are its options, and what is asked of a schema is SQL.
 */

interface Asked {
  readonly options: string[];
  readonly database: string;
  /** Texts of arguments, each of which ends a statement; or the standard input. */
  readonly texts: readonly string[];
}

const VALUED = /^-{1,2}(separator|newline|nullvalue)$/;
const DOT = /^\s*\.[a-z]/m;

export const sqlite3: Execute = async (args, ctx) => {
  const asked = asksOf(args, ctx);
  if (!asked.texts.some((text) => DOT.test(text))) {
    // The interpreter's takes one text.
    const { options, database, texts } = asked;
    return await original(
      ctx,
      texts.length < 2 ? args : [...options, database, `\n${texts.join(';\n')}`],
    );
  }
  // What is kept in memory only would be gone with each call.
  const is_kept = asked.database !== ':memory:' && asked.database !== '';
  const database = is_kept ? asked.database : `/tmp/.sqlite-${randomUUID()}`;
  try {
    return await new Dialogue(ctx, database, asked.options).run(asked.texts);
  } finally {
    if (!is_kept) await ctx.fs.rm(database, { force: true });
  }
};

function asksOf(args: readonly string[], ctx: CommandContext): Asked {
  const options: string[] = [];
  const operands: string[] = [];
  const first: string[] = [];
  const left = [...args];
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    if (/^-{1,2}cmd$/.test(one)) first.push(left.shift() ?? '');
    else if (VALUED.test(one)) options.push(one.replace(/^--/, '-'), left.shift() ?? '');
    else if (/^-./.test(one)) options.push(one.replace(/^--/, '-'));
    else operands.push(one);
  }
  const [database = '', ...given] = operands;
  const input = given.length > 0 ? given : [decodeBytesToUtf8(ctx.stdin)];
  return { options, database, texts: [...first, ...input] };
}

/** Modes that show the names of columns unless they are told not to. */
const titled = new Set(['column', 'table', 'box', 'markdown']);
const plain_modes = ['list', 'csv', 'json', 'line', 'tabs', 'quote', 'html', 'ascii'];
const modes = new Set([...titled, ...plain_modes]);

/** What a command is called as well. */
const others: Readonly<Record<string, string>> = {
  '.exit': '.quit',
  '.header': '.headers',
  '.indices': '.indexes',
};

/** Lines of a script in their order: SQL is collected until something else comes. */
class Dialogue {
  readonly #ctx: CommandContext;
  readonly #database: string;
  #options: string[];
  #sql = '';
  #said = said('');
  #is_over = false;
  #separator = '|';
  readonly #pragmas: string[] = [];

  constructor(ctx: CommandContext, database: string, options: string[]) {
    this.#ctx = ctx;
    this.#database = database;
    this.#options = options;
  }

  async run(texts: readonly string[]): Promise<ExecResult> {
    for (const text of texts) {
      for (const line of text.split('\n')) {
        if (this.#is_over) return this.#said;
        // Within a statement a line that begins with a dot is part of it.
        if (DOT.test(line) && isWhole(this.#sql)) await this.#command(wordsOf(line.trim()));
        else this.#sql += `${line}\n`;
      }
      if (!isWhole(this.#sql)) this.#sql += ';\n';
    }
    await this.#ask();
    return this.#said;
  }

  /** Ask what was collected: each asking is a connection of its own, so as much as goes together. */
  async #ask(): Promise<void> {
    const sql = this.#sql;
    this.#sql = '';
    if (sql.trim() === '') return;
    if (isOpen(sql)) {
      this.#tell('a transaction must end before a command with a dot: each is a connection here');
      return;
    }
    const kept = this.#pragmas.join('');
    this.#pragmas.push(...Array.from(bare(sql).matchAll(PRAGMA), ([pragma]) => `${pragma};\n`));
    const told = await original(this.#ctx, [...this.#options, this.#database, `\n${kept}${sql}`]);
    this.#said = {
      stdout: this.#said.stdout + told.stdout,
      stderr: this.#said.stderr + told.stderr,
      exitCode: Math.max(this.#said.exitCode, told.exitCode),
    };
  }

  /** Ask for something else, in the plain form. */
  async #askPlain(sql: string): Promise<void> {
    const options = this.#options;
    this.#options = options.filter((one) => one === '-readonly');
    this.#sql = sql;
    await this.#ask();
    this.#options = options;
  }

  #tell(text: string): void {
    const stderr = `${this.#said.stderr}sqlite3: ${text}\n`;
    this.#said = { ...this.#said, stderr, exitCode: 1 };
  }

  async #command([name = '', ...words]: string[]): Promise<void> {
    if (/^\.(bail|echo|timer|changes|width)$/.test(name)) return;
    await this.#ask();
    const known: Readonly<Record<string, (word: string) => Promise<void> | void>> = {
      '.quit': () => this.#end(),
      '.mode': (word) => this.#mode(word),
      '.headers': (word) => this.#set([/^(on|yes|1)$/i.test(word) ? '-header' : '-noheader']),
      '.separator': (word) => this.#separate(word),
      '.nullvalue': (word) => void this.#options.push('-nullvalue', word),
      '.tables': async (word) => await this.#askPlain(catalogue('.tables', word)),
      '.schema': async (word) => await this.#askPlain(catalogue('.schema', word)),
      '.indexes': async (word) => await this.#askPlain(catalogue('.indexes', word)),
      '.import': async () => await this.#import(words),
    };
    const run = known[others[name] ?? name];
    if (run === undefined) {
      this.#tell(`${name} is not known here, but ${Object.keys(known).join(', ')} are`);
      return;
    }
    try {
      await run(words[0] ?? '');
    } catch (error) {
      // What was said before it stays said.
      if (!(error instanceof CommandFailure)) throw error;
      this.#tell(error.message);
    }
  }

  #end(): void {
    this.#is_over = true;
  }

  #separate(word: string): void {
    this.#separator = word.replace(/\\t/g, '\t');
    this.#options.push('-separator', this.#separator);
  }

  #set(options: readonly string[]): void {
    this.#options = [...this.#options.filter((one) => !/^-(no)?header$/.test(one)), ...options];
  }

  #mode(word: string): void {
    if (!modes.has(word)) return this.#tell(`there is no mode '${word}' here`);
    const is_told = this.#options.some((one) => /^-(no)?header$/.test(one));
    this.#options = [...this.#options.filter((one) => !modes.has(one.slice(1))), `-${word}`];
    if (titled.has(word) && !is_told) this.#set(['-header']);
    this.#separator = { csv: ',', tabs: '\t' }[word] ?? this.#separator;
  }

  /** `.import [--csv] [--skip N] FILE TABLE`: a table that is not there gets the names of the first line. */
  async #import(words: readonly string[]): Promise<void> {
    const skips = words.indexOf('--skip');
    const plain = words.filter(
      (one, at) => !one.startsWith('-') && (skips < 0 || at !== skips + 1),
    );
    const [file = '', table = ''] = plain;
    const is_csv = words.includes('--csv') || this.#options.includes('-csv');
    const own = is_csv && this.#separator === '|' ? ',' : this.#separator;
    const separator = words.includes('--csv') ? ',' : own;
    const text = (await inputOf(this.#ctx, file)).toString('utf8').replace(/^\ufeff/, '');
    const rows = rowsOf(text, separator).slice(skips < 0 ? 0 : Number(words[skips + 1]));
    const there = await original(this.#ctx, [this.#database, columnsOf(table)]);
    const known = there.stdout.split('\n').filter((name) => name !== '').length;
    const named = known > 0 ? [] : (rows.shift() ?? []);
    const columns = named.map((column) => `${name(column)} ANY`).join(', ');
    const made = known > 0 ? [] : [`CREATE TABLE ${name(table)}(${columns})`];
    const inserts = batches(rows, ROWS).map((some) => inserted(table, some, known || named.length));
    await this.#askPlain(['BEGIN', ...made, ...inserts, 'COMMIT', ''].join(';\n'));
  }
}

/** Settings that change what a statement does, and that a new connection has not. */
const PRAGMA =
  /(?<=^|;)\s*PRAGMA\s+(?:foreign_keys|recursive_triggers|case_sensitive_like|ignore_check_constraints)\s*=\s*\w+/gi;

const BETWEEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*(?:\n|$)|\/\*[^]*?\*\//g;

/** A script without what its texts and comments say. */
const bare = (sql: string): string =>
  sql.replace(BETWEEN, (all) => (/^['"]/.test(all) ? 'x' : ' '));

/** Whether a transaction is left open. */
function isOpen(sql: string): boolean {
  const words = bare(sql).matchAll(/(?<=(?:^|;)\s*)(BEGIN|COMMIT|END|ROLLBACK)\b/gi);
  return Array.from(words).at(-1)?.[0].toUpperCase() === 'BEGIN';
}

/** Whether no statement is begun: nothing stands behind the last semicolon. */
function isWhole(sql: string): boolean {
  const left = bare(sql);
  return /(^|;)\s*$/.test(left) && !/['"]|\/\*/.test(left);
}

/** Words of a line, of which quotes hold together what has blanks. */
function wordsOf(line: string): string[] {
  const found = line.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|(\S+)/g);
  return Array.from(found, ([, double, single, plain]) =>
    double === undefined ? (single ?? plain ?? '') : double.replace(/\\t/g, '\t'),
  );
}

function catalogue(command: string, word: string): string {
  const about = word === '' ? '' : ` AND tbl_name LIKE ${value(word)}`;
  const own = "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
  if (command === '.schema') {
    return `SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND ${own}${about}`;
  }
  const kinds = command === '.tables' ? "('table', 'view')" : "('index')";
  return `SELECT name FROM sqlite_schema WHERE type IN ${kinds} AND ${own}${about} ORDER BY 1`;
}

const ROWS = 200;
const columnsOf = (table: string): string => `SELECT name FROM pragma_table_info(${value(table)})`;
const value = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function batches<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, nth) => all.slice(nth * size, (nth + 1) * size));
}

function inserted(table: string, rows: readonly string[][], width: number): string {
  const lines = rows.map((row) => {
    const cells = Array.from({ length: width }, (_, nth) => row[nth]);
    return `(${cells.map((cell) => (cell === undefined ? 'NULL' : value(cell))).join(',')})`;
  });
  return `INSERT INTO ${name(table)} VALUES ${lines.join(',')}`;
}

/** The cells of a text, which may be in quotes (RFC 4180). */
function rowsOf(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const edge = separator.replace(/[^\w\s]/g, String.raw`\$&`);
  const cells = new RegExp(
    `(?:"((?:[^"]|"")*)"|((?:(?!${edge})[^\\n])*))(${edge}|\\r?\\n|$)`,
    'gy',
  );
  for (const [all, inside, plain = '', end = ''] of text.matchAll(cells)) {
    if (all === '' && row.length === 0) break;
    const cell = inside === undefined ? plain : inside.replaceAll('""', '"');
    row.push(end === separator ? cell : cell.replace(/\r$/, ''));
    if (end !== separator) {
      rows.push(row);
      row = [];
    }
    if (end === '') break;
  }
  return rows;
}
