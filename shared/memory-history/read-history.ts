import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import type { Ports } from '../core/ports.ts';
import { isPast } from '../memory/read-store.ts';
import { firstVersionId } from '../memory/versions.ts';
import type { VersionRow } from '../memory/memory.ts';
import { Past } from './past.ts';

/**
 * Every version of a store in the order of their ids, which is that of time, a page at a time.
 *
 * @param since RFC 3339. @default - from the first one on
 */
export async function* readHistory(
  { table, clock }: Ports,
  store_id: string,
  since?: string,
): AsyncGenerator<VersionRow[]> {
  for (let from = since === undefined ? '!' : firstVersionId(since), more = true; more;) {
    const page = await table.query({ pk: `MEMVERS#${store_id}`, from, to: '~' });
    const now = clock.now().toISOString();
    const last = page.rows.at(-1)?.sk;
    // A further page begins with the row that ended the one before.
    const rows = (page.rows as VersionRow[]).filter(({ sk }) => sk !== from);
    yield rows.filter((row) => !isPast(row, now));
    more = page.more && last !== undefined && last !== from;
    from = last ?? from;
  }
}

/**
 * What a store held at some times.
 *
 * @throws Fault `too_large` for a history that cannot be read within one request
 */
export async function readPast(
  ports: Ports,
  store_id: string,
  times: readonly string[],
): Promise<Past> {
  const past = new Past(times);
  const until_ms = performance.now() + limits.history_read_ms;
  for await (const rows of readHistory(ports, store_id)) {
    for (const row of rows) past.add(row);
    if (performance.now() > until_ms) {
      throw new Fault(
        'too_large',
        `memory store '${store_id}' has more versions than one request can read. Restore or compare single memories by their versions.`,
        { details: { error_code: 'memory_history_too_long' } },
      );
    }
  }
  return past;
}
