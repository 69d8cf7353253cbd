import type { Executions } from '../core/executions.ts';
import type { Ports } from '../core/ports.ts';

/** What commands on dreams act upon. */
export interface DreamPorts extends Ports {
  /** Executions of the dream machine. */
  readonly dreams: Executions;
  /** A name that nobody can guess. */
  readonly newName: () => string;
  /** A start that was lost: logged; reconcile makes it good. */
  readonly startLost: (error: unknown) => void;
}

/** What the dream machine is started with: ids travel, content stays in table and bucket. */
export interface DreamInput {
  readonly dream_id: string;
  readonly run: number;
}
