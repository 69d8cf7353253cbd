import type { Key, Row, Table } from './table.ts';

interface Asked {
  readonly key: Key;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * A table whose reads of a row each become one request where they are asked for in one breath, by parts
 * of a use case that know nothing of each other. Strongly consistent, as they are by default.
 */
export function together(table: Table): Table {
  let asked: Asked[] = [];
  const read = async (): Promise<void> => {
    const all = asked;
    asked = [];
    try {
      const rows = await table.getMany(all.map(({ key }) => key));
      for (const { key, resolve } of all) {
        resolve(rows.find(({ pk, sk }) => pk === key.pk && sk === key.sk));
      }
    } catch (cause) {
      for (const { reject } of all) reject(cause);
    }
  };
  return {
    get: async (key) =>
      await new Promise((resolve, reject) => {
        // Behind all that is ready to run now.
        if (asked.length === 0) process.nextTick(() => void read());
        asked.push({ key, resolve, reject });
      }),
    getMany: async (keys, options) => await table.getMany(keys, options),
    query: async (query) => await table.query(query),
    update: async (update) => await table.update(update),
    transact: async (writes) => await table.transact(writes),
    deleteMany: async (keys) => await table.deleteMany(keys),
  };
}
