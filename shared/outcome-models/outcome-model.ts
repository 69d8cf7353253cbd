import type { Stored } from '../core/stored.ts';
import type { Key, Row } from '../core/table.ts';

/** How much a success criterion counts: without every `must` a session has not succeeded. */
export type Weight = 'must' | 'should';

export interface ModelItem {
  /** Unique among all items of the model: what reports name it by, across versions. */
  readonly id: string;
  readonly text: string;
}

export interface SuccessCriterion extends ModelItem {
  readonly weight: Weight;
}

/** What an agent's sessions are reported on by. A change in any of it makes a version. */
export interface ModelContent {
  readonly success_criteria: readonly SuccessCriterion[];
  readonly failure_modes: readonly ModelItem[];
  /** What tells on the way whether it goes well. */
  readonly signals: readonly ModelItem[];
  /** Whether reports are made. */
  readonly report: boolean;
}

/** An agent's outcome model at one version, as the wire shows it. */
export interface OutcomeModel extends ModelContent {
  readonly type: 'outcome_model';
  readonly agent_id: string;
  readonly version: number;
  /** Of this version. */
  readonly created_at: string;
  /** True of all versions: since then no reports are made. */
  readonly deleted_at: string | null;
}

/**
 * `outcome_model` of `AGENT#<id>` / `HEAD`: there and not in a row of its own, so that making a
 * session learns of it by the read of the agent that it needs anyway.
 */
export interface ModelHead {
  readonly version: number;
  readonly deleted_at: string | null;
}

/** `AGENT#<id>` / `OM#<version>`: written once. */
export interface ModelVersion extends Row {
  readonly created_at: string;
  readonly content: Stored<ModelContent>;
}

/** Padded, so that versions sort as text. */
export function modelKey(agent_id: string, version: number): Key {
  return { pk: `AGENT#${agent_id}`, sk: `OM#${String(version).padStart(10, '0')}` };
}
