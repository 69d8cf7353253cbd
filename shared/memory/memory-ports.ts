import type { Ports } from '../core/ports.ts';

/** What changes memories: the ports, and what the deployment has chosen for all stores. */
export interface MemoryPorts extends Ports {
  /** Memories that one store may hold. */
  readonly memories_max: number;
  /** Days that a version is kept once a later one took over; 0: as long as its store. */
  readonly version_days: number;
}
