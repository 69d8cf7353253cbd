import type { Blobs } from './blobs.ts';
import type { Clock } from './clock.ts';
import type { Noun } from './id.ts';
import type { Table } from './table.ts';

/** What a use case acts upon: everything that is not a pure decision comes in through here. */
export interface Ports {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** An id of now, or of `at_ms`, by which it then sorts. */
  readonly newId: (noun: Noun, at_ms?: number) => string;
}
