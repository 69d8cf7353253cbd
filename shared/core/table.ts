/**
 * The one table, as the platform sees it. A row is a plain object under `pk` and `sk`; conditions
 * and updates are DynamoDB expressions, because they are the concurrency model and hiding them
 * would hide the decisions. `table-dynamo.ts` is the adapter.
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export interface Row extends Key {
  readonly [attribute: string]: unknown;
}

/**
 * How rows are laid out, which every row carries as `schema`: the adapter adds it to what is put, an update
 * that makes a row names it. A row of before that has none, and is of the first layout.
 */
export const ROW_SCHEMA = 1;

/** An expression with the values (`:x`) and names (`#x`) that it uses. */
export interface Condition {
  readonly condition: string;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly names?: Readonly<Record<string, string>>;
}

export interface Update {
  readonly update: Key;
  readonly expression: string;
  readonly condition?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly names?: Readonly<Record<string, string>>;
}

/** One write of a transaction. A put without a condition overwrites: explain it where it stands. */
export type Write =
  | ({ readonly put: Row } & Partial<Condition>)
  | ({ readonly delete: Key } & Partial<Condition>)
  | ({ readonly check: Key } & Condition)
  | Update;

/** The row that a write is about. */
export function keyOfWrite(write: Write): Key {
  if ('put' in write) return write.put;
  if ('delete' in write) return write.delete;
  return 'check' in write ? write.check : write.update;
}

export interface Query {
  readonly pk: string;
  /** Sort keys from here on, inclusive. */
  readonly from: string;
  /** Sort keys up to here, inclusive. */
  readonly to: string;
  /** @default - the table itself, read strongly; an index is read as it stands. */
  readonly index?: 'list' | 'running';
  /** @default - ascending */
  readonly reverse?: boolean;
  /** Rows to read at most. @default - as many as one page of 1 MB holds */
  readonly limit?: number;
}

export interface QueryPage {
  readonly rows: Row[];
  /** True when rows are left: ask again from the last row's sort key. */
  readonly more: boolean;
}

/**
 * A condition did not hold. `rows[i]` is the row that stood in the way of write `i`, when there
 * was one; `failed` are the indexes of the writes that were refused. No cause, and the rows private:
 * a logger writes all that an error shows, and rows hold what people and models have said.
 */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed';
  readonly failed: readonly number[];
  readonly #rows: readonly (Row | undefined)[];

  constructor(failed: readonly number[], rows: readonly (Row | undefined)[]) {
    super(`conditions failed for writes ${failed.join(', ')}`);
    this.failed = failed;
    this.#rows = rows;
  }

  get rows(): readonly (Row | undefined)[] {
    return this.#rows;
  }
}

export interface ReadOptions {
  /** Half the price, and perhaps a moment old. @default false */
  readonly eventual?: boolean;
  /** Only these, with the keys among them: less to parse, at the same price. @default - all */
  readonly attributes?: readonly string[];
}

export interface Table {
  /** Strongly consistent unless `eventual`. */
  get(key: Key, options?: { eventual?: boolean }): Promise<Row | undefined>;
  /** Any number of keys, strongly consistent unless `eventual`; absent rows are left out, order is that of the keys. */
  getMany(keys: readonly Key[], options?: ReadOptions): Promise<Row[]>;
  query(query: Query): Promise<QueryPage>;
  /** @returns the row after the update. @throws ConditionFailed; Fault `busy`, as `transact` */
  update(update: Update): Promise<Row>;
  /**
   * All or none, at most 100 writes. Repeats itself on TransactionConflict and throttling.
   * @throws ConditionFailed; Fault `busy` when others still hold the rows after some seconds
   */
  transact(writes: readonly Write[]): Promise<void>;
  /** Unconditional deletes of any number of rows, in batches; safe to repeat. */
  deleteMany(keys: readonly Key[]): Promise<void>;
}
