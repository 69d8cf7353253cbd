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
  readonly lines: string[];
}

const VALUED = /^-{1,2}(separator|newline|nullvalue)$/;
const DOT = /^\s*\.[a-z]/m;

export const sqlite3: Execute = async (args, ctx) => {
  const asked = asksOf(args, ctx);
  if (!asked.lines.some((line) => DOT.test(line))) return await original(ctx, args);
  // What is kept in memory only would be gone with each call.
  const is_kept = asked.database !== ':memory:' && asked.database !== '';
  const database = is_kept ? asked.database : `/tmp/.sqlite-${randomUUID()}`;
  try {
    return await new Dialogue(ctx, database, asked.options).run(asked.lines);
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
    else if (VALUED.test(one)) options.push(one, left.shift() ?? '');
    else if (/^-./.test(one)) options.push(one.replace(/^--/, '-'));
    else operands.push(one);
  }
  const [database = '', ...given] = operands;
  const rest = given.length > 0 ? given : [decodeBytesToUtf8(ctx.stdin)];
  return { options, database, lines: [...first, ...rest].flatMap((text) => text.split('\n')) };
}

/** Modes that show the names of columns unless they are told not to. */
const titled = new Set(['column', 'table', 'box', 'markdown']);
const plain_modes = ['list', 'csv', 'json', 'line', 'tabs', 'quote', 'html', 'ascii'];
const modes = new Set([...titled, ...plain_modes]);

/** Lines of a script in their order: SQL is collected until something else comes. */
class Dialogue {
  readonly #ctx: CommandContext;
  readonly #database: string;
  #options: string[];
  #sql = '';
  #said = said('');
  #is_over = false;

  constructor(ctx: CommandContext, database: string, options: string[]) {
    this.#ctx = ctx;
    this.#database = database;
    this.#options = options;
  }

  async run(lines: readonly string[]): Promise<ExecResult> {
    for (const line of lines) {
      // Within a statement a line that begins with a dot is part of it.
      const is_dot = DOT.test(line) && /(^|;)\s*$/.test(this.#sql);
      if (!is_dot) this.#sql += `${line}\n`;
      else {
        await this.#ask();
        await this.#command(wordsOf(line.trim()));
      }
      if (this.#is_over) return this.#said;
    }
    await this.#ask();
    return this.#said;
  }

  async #ask(sql = this.#sql, options = this.#options): Promise<void> {
    if (sql === this.#sql) this.#sql = '';
    if (sql.trim() === '') return;
    const told = await original(this.#ctx, [...options, this.#database, sql]);
    this.#said = {
      stdout: this.#said.stdout + told.stdout,
      stderr: this.#said.stderr + told.stderr,
      exitCode: Math.max(this.#said.exitCode, told.exitCode),
    };
  }

  async #command([name = '', ...words]: string[]): Promise<void> {
    const [word = ''] = words;
    if (/^\.(quit|exit)$/.test(name)) this.#is_over = true;
    else if (name === '.mode') this.#mode(word);
    else if (/^\.head(er|ers)$/.test(name)) this.#set(word === 'on' ? ['-header'] : ['-noheader']);
    else if (name === '.separator') this.#options.push('-separator', word);
    else if (name === '.nullvalue') this.#options.push('-nullvalue', word);
    else if (/^\.(tables|schema|indexes|indices)$/.test(name)) {
      await this.#ask(catalogue(name, word), []);
    } else if (name === '.import') await this.#import(words);
    else if (!/^\.(bail|echo|timer|changes|width)$/.test(name)) {
      throw new CommandFailure(
        `${name} is not known here, but .mode, .headers, .separator, .nullvalue, .tables, .schema, .indexes, .import and .quit are`,
      );
    }
  }

  #set(options: readonly string[]): void {
    this.#options = [...this.#options.filter((one) => !/^-(no)?header$/.test(one)), ...options];
  }

  #mode(word: string): void {
    if (!modes.has(word)) throw new CommandFailure(`there is no mode '${word}' here`);
    const is_told = this.#options.some((one) => /^-(no)?header$/.test(one));
    this.#options = [...this.#options.filter((one) => !modes.has(one.slice(1))), `-${word}`];
    if (titled.has(word) && !is_told) this.#set(['-header']);
  }

  /** `.import [--csv] [--skip N] FILE TABLE`: a table that is not there gets the names of the first line. */
  async #import(words: readonly string[]): Promise<void> {
    const skips = words.indexOf('--skip');
    const plain = words.filter(
      (one, at) => !one.startsWith('-') && (skips < 0 || at !== skips + 1),
    );
    const [file = '', table = ''] = plain;
    const is_csv = words.includes('--csv') || this.#options.includes('-csv');
    const at = this.#options.lastIndexOf('-separator');
    const tabs = this.#options.includes('-tabs') ? '\t' : '|';
    const separator = is_csv ? ',' : at === -1 ? tabs : (this.#options[at + 1] ?? tabs);
    const text = (await inputOf(this.#ctx, file)).toString('utf8').replace(/^\ufeff/, '');
    const rows = rowsOf(text, separator).slice(skips < 0 ? 0 : Number(words[skips + 1]));
    const there = await original(this.#ctx, [this.#database, columnsOf(table)]);
    const known = there.stdout.split('\n').filter((name) => name !== '').length;
    const named = known > 0 ? [] : (rows.shift() ?? []);
    const columns = named.map((column) => `${name(column)} ANY`).join(', ');
    const made = known > 0 ? [] : [`CREATE TABLE ${name(table)}(${columns})`];
    const inserts = batches(rows, ROWS).map((some) => inserted(table, some, known || named.length));
    await this.#ask(['BEGIN', ...made, ...inserts, 'COMMIT'].join(';\n'), []);
  }
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
    `(?:"((?:[^"]|"")*)"|((?:(?!${edge})[^\\r\\n])*))(${edge}|\\r?\\n|$)`,
    'gy',
  );
  for (const [all, inside, plain = '', end = ''] of text.matchAll(cells)) {
    if (all === '' && row.length === 0) break;
    row.push(inside === undefined ? plain : inside.replaceAll('""', '"'));
    if (end !== separator) {
      rows.push(row);
      row = [];
    }
    if (end === '') break;
  }
  return rows;
}
