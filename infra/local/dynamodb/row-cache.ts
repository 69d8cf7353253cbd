import { record } from '../template/template.ts';

/** A row as the engine has it; `item` is null where there is none. */
export interface CachedRow {
  readonly item: Readonly<Record<string, unknown>> | null;
  readonly json: string;
  /** As DynamoDB counts it. */
  readonly bytes: number;
}

/** A read that is under way: what is written meanwhile it must not leave behind. */
export interface Reading {
  readonly names: readonly string[];
  readonly stale: Set<string>;
}

/** Characters of all rows together. */
const chars_max = 32_000_000;

/**
 * The rows that were read or written last, so that reading one again costs no call of the engine, which takes
 * longer for the twenty rows of a list than all the rest of the request. It never differs from the
 * engine: every write comes by here, a row is forgotten before it is written and again afterwards, but for
 * what a put or a plain update is known to leave, and a read or a write that met with another write is not kept.
 */
export class RowCache {
  readonly #rows = new Map<string, CachedRow>();
  readonly #readings = new Set<Reading>();
  /** The writes of a row that are under way: how many, and whether two of them ever met. */
  readonly #writing = new Map<string, { count: number; met: boolean }>();
  #chars = 0;
  #closed = false;

  get(name: string): CachedRow | undefined {
    const row = this.#rows.get(name);
    if (row === undefined) return undefined;
    // The last used are the last to go.
    this.#rows.delete(name);
    this.#rows.set(name, row);
    return row;
  }

  beginReading(names: readonly string[]): Reading {
    const stale = new Set(names.filter((name) => this.#writing.has(name)));
    const reading = { names, stale };
    this.#readings.add(reading);
    return reading;
  }

  /** @param rows What was read, by name; none of them where the read failed. */
  endReading(reading: Reading, rows: ReadonlyMap<string, CachedRow>): void {
    this.#readings.delete(reading);
    for (const [name, row] of rows) if (!reading.stale.has(name)) this.#keep(name, row);
  }

  /** @returns what was known of them until now, but for those that somebody else writes at the same time */
  beginWriting(names: readonly string[]): ReadonlyMap<string, CachedRow> {
    const before = new Map<string, CachedRow>();
    for (const name of names) {
      const row = this.#rows.get(name);
      if (row !== undefined) before.set(name, row);
      this.#forget(name);
      const others = this.#writing.get(name);
      this.#writing.set(name, { count: (others?.count ?? 0) + 1, met: others !== undefined });
      for (const { stale } of this.#readings) stale.add(name);
    }
    return before;
  }

  /** @param rows What was left, by name: kept, unless another write came near. Without them all is forgotten. */
  endWriting(names: readonly string[], rows?: ReadonlyMap<string, CachedRow>): void {
    for (const name of names) {
      this.#forget(name);
      const { count, met } = this.#writing.get(name) ?? { count: 1, met: true };
      if (count > 1) {
        this.#writing.set(name, { count: count - 1, met });
        continue;
      }
      this.#writing.delete(name);
      const row = rows?.get(name);
      if (row !== undefined && !met) this.#keep(name, row);
    }
  }

  /** Something was written that did not say which rows it changes. */
  clear(): void {
    this.#rows.clear();
    this.#chars = 0;
    for (const { names, stale } of this.#readings) for (const name of names) stale.add(name);
    for (const write of this.#writing.values()) write.met = true;
  }

  /** Somebody else writes from here on, until {@link open}: nothing is kept. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  open(): void {
    this.#closed = false;
    this.clear();
  }

  #keep(name: string, row: CachedRow): void {
    this.#forget(name);
    if (this.#closed) return;
    this.#rows.set(name, row);
    this.#chars += sizeOf(name, row);
    for (const [oldest] of this.#rows) {
      if (this.#chars <= chars_max) return;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    const row = this.#rows.get(name);
    if (row === undefined) return;
    this.#rows.delete(name);
    this.#chars -= sizeOf(name, row);
  }
}

/** The text, its parsed form, and what a map's entry weighs. */
function sizeOf(name: string, { json }: CachedRow): number {
  return 2 * json.length + name.length + 200;
}

export function rowOf(item: Readonly<Record<string, unknown>> | null): CachedRow {
  if (item === null) return { item, json: '', bytes: 0 };
  return { item, json: JSON.stringify(item), bytes: mapBytes(item) };
}

/** Source: DynamoDB item sizes and formats: names and values, 3 bytes a container and 1 a member. */
function attributeBytes(attribute: unknown): number {
  const { S, N, B, M, L } = record(attribute);
  if (typeof S === 'string') return Buffer.byteLength(S);
  if (typeof N === 'string') return Math.ceil(N.length / 2) + 1;
  if (typeof B === 'string') return Buffer.byteLength(B, 'base64');
  if (Array.isArray(L)) return 3 + L.reduce<number>((sum, one) => sum + attributeBytes(one) + 1, 0);
  if (M !== undefined) return 3 + Object.keys(record(M)).length + mapBytes(record(M));
  return 1;
}

function mapBytes(map: Readonly<Record<string, unknown>>): number {
  return Object.entries(map).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + attributeBytes(value),
    0,
  );
}
