import type { Counters } from '../../infra/local/counting.ts';
import { prices, type Price } from './prices.ts';

/** How much of everything that has a price was used. */
export type Quantities = Readonly<Record<Price, number>>;

const S3_WRITES = /^s3:(Put|Copy|Post|List|Create|Complete|Upload)/;
const S3_FREE = /^s3:(Delete|Abort)/;

/** The priced quantities of what the host has counted. */
export function quantitiesOf(counters: Counters): Quantities {
  const functions = Object.values(counters.functions);
  const sum = (of: (usage: (typeof functions)[number]) => number): number =>
    functions.reduce((total, usage) => total + of(usage), 0);
  const calls = (test: (name: string) => boolean): number =>
    sum((usage) =>
      Object.entries(usage.calls).reduce((n, [name, count]) => n + (test(name) ? count : 0), 0),
    );
  const isS3 = (name: string): boolean => name.startsWith('s3:') && !S3_FREE.test(name);
  return {
    state_transition: counters.state_transitions,
    lambda_request: sum(({ invocations }) => invocations),
    lambda_gigabyte_second: sum(({ gigabyte_seconds }) => gigabyte_seconds),
    dynamodb_read_unit: sum(({ read_units }) => read_units),
    dynamodb_write_unit: sum(({ write_units }) => write_units),
    s3_write_request: calls((name) => S3_WRITES.test(name)),
    s3_read_request: calls((name) => isS3(name) && !S3_WRITES.test(name)),
    api_request: counters.api_requests,
    secret_request: calls((name) => name.startsWith('secretsmanager:')),
  };
}

export function scaled(quantities: Quantities, factor: number): Quantities {
  return mapped(quantities, (quantity) => quantity * factor);
}

export function added(a: Quantities, b: Quantities): Quantities {
  return mapped(a, (quantity, price) => quantity + b[price]);
}

/** What was used between two snapshots. */
export function difference(after: Quantities, before: Quantities): Quantities {
  return added(after, scaled(before, -1));
}

/** US dollars for each quantity. */
export function dollarsOf(quantities: Quantities): Quantities {
  return mapped(quantities, (quantity, price) => quantity * prices[price]);
}

/** US dollars for all of them. */
export function totalDollars(quantities: Quantities): number {
  return Object.values(dollarsOf(quantities)).reduce((total, dollars) => total + dollars, 0);
}

function mapped(
  quantities: Quantities,
  of: (quantity: number, price: Price) => number,
): Quantities {
  const entries = Object.entries(quantities) as [Price, number][];
  return Object.fromEntries(entries.map(([price, n]) => [price, of(n, price)])) as Quantities;
}
