import { routes } from '../../shared/routes.ts';
import { operations, otherApis, sdkVersion, type Operation } from './operations.ts';

/** One operation of the SDK, and whether Reverie has its route. */
export interface Row extends Operation {
  readonly implemented: boolean;
}

export interface Compatibility {
  readonly sdk: string;
  /** How the set was made: shown with every table, so that the count can be checked. */
  readonly set: string;
  readonly implemented: number;
  readonly total: number;
  readonly operations: readonly Row[];
  /** Routes beyond the SDK's, e.g. `POST /v1/reverie/api_keys`. */
  readonly own: readonly string[];
}

export function compatibility(): Compatibility {
  const names = new Set<string>(Object.keys(routes));
  const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
  const rows = operations().map((row) => ({ ...row, implemented: names.has(nameOf(row)) }));
  const theirs = new Set(rows.map(nameOf));
  return {
    sdk: `@anthropic-ai/sdk ${sdkVersion()}`,
    set: `every operation under client.beta but for ${otherApis.join(', ')}`,
    implemented: rows.filter(({ implemented }) => implemented).length,
    total: rows.length,
    operations: rows,
    own: [...names].filter((name) => !theirs.has(sameAs(name))),
  };
}

/** The operation that a route is: older documentation has a PATCH where the SDK has a POST. */
export function sameAs(name: string): string {
  return name.replace(/^PATCH /, 'POST ');
}

/** The resource of an operation, as the SDK names it: `sessions`, `memoryStores`. */
export function resourceOf({ call }: Operation): string {
  return call.split('.')[2] ?? '';
}

/** Rows by resource, in the order of the SDK. */
export function byResource(rows: readonly Row[]): [resource: string, rows: Row[]][] {
  return [...Map.groupBy(rows, resourceOf)];
}

/** The README's part: totals for each resource, and every operation folded away. */
export function markdown({ sdk, set, implemented, total, operations, own }: Compatibility): string {
  const groups = byResource(operations).map(([resource, rows]) => {
    const count = rows.filter((row) => row.implemented).length;
    return `| \`${resource}\` | ${count} | ${rows.length} |`;
  });
  const lines = operations.map(
    ({ method, path, call, implemented: done }) =>
      `| ${done ? 'yes' : ''} | ${method} | \`${path}\` | \`${call}\` |`,
  );
  return [
    `${implemented} of ${total} operations of ${sdk} (${set}), and ${own.length} of our own.`,
    '',
    '| resource | implemented | operations |',
    '|---|--:|--:|',
    ...groups,
    `| **all** | **${implemented}** | **${total}** |`,
    '',
    '<details><summary>Every operation</summary>',
    '',
    '| implemented | method | path | SDK call |',
    '|---|---|---|---|',
    ...lines,
    '',
    '</details>',
  ].join('\n');
}
