import type { Row, Table } from './table.ts';

/** Rows that are looked at together. */
const TOGETHER = 10;

/** What the index `running` holds: `<iso time>#…` in `gsi2sk` says since or from when. */
export type Watched = 'RUNNING' | 'DREAMING' | 'SCHEDULED' | 'DELETED' | 'EXPIRES';

/** The rows of a kind up to `until`, oldest first, as they are now. */
export async function* indexed(
  table: Table,
  kind: Watched,
  until_ms: number,
): AsyncGenerator<Row[]> {
  const to = `${new Date(until_ms).toISOString()}#~`;
  for (let from = ' '; from <= to;) {
    const page = await table.query({ pk: kind, from, to, index: 'running', limit: TOGETHER });
    const rows = await table.getMany(page.rows);
    // The index lags: only the row itself says what is true.
    yield rows.filter((row) => row['gsi2pk'] === kind && String(row['gsi2sk']) <= to);
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) return;
    from = `${String(last['gsi2sk'])}!`;
  }
}
