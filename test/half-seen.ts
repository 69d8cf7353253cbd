import type { Key, Row, Table } from '#shared/core/table.ts';

/** A table in which rows stay unseen for some reads, as those of a transaction that has not yet shown them all. */
export interface HalfSeen extends Table {
  /** Leave a row out of the next `reads` that would have it. */
  hide(key: Key, reads: number): void;
}

export function halfSeen(table: Table): HalfSeen {
  const hidden = new Map<string, number>();
  const nameOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
  const isSeen = (row: Row): boolean => {
    const left = hidden.get(nameOf(row)) ?? 0;
    hidden.set(nameOf(row), left - 1);
    return left <= 0;
  };
  return {
    hide: (key, reads) => void hidden.set(nameOf(key), reads),
    get: async (key, options) => {
      const row = await table.get(key, options);
      return row !== undefined && isSeen(row) ? row : undefined;
    },
    getMany: async (keys, options) => (await table.getMany(keys, options)).filter(isSeen),
    query: async (query) => {
      const page = await table.query(query);
      return { ...page, rows: page.rows.filter(isSeen) };
    },
    update: async (update) => await table.update(update),
    transact: async (writes) => await table.transact(writes),
    deleteMany: async (keys) => await table.deleteMany(keys),
  };
}
