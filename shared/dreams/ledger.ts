import type { Loser } from './operation.ts';

/** How a memory of the input ended. */
export type LedgerEntry = {
  readonly memory_id: string;
  readonly path: string;
} & (
  | { readonly fate: 'kept' }
  | { readonly fate: 'revised'; readonly change_id: string }
  | { readonly fate: 'merged'; readonly into_path: string; readonly change_id: string }
  | {
      readonly fate: 'superseded';
      readonly by_path: string;
      readonly loser: Loser;
      readonly change_id: string;
    }
  | { readonly fate: 'retired'; readonly reason: string; readonly change_id: string }
);

/** The account of a dream: each memory of the input once, and what is new. */
export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  readonly added: readonly { readonly path: string; readonly change_id: string }[];
}
