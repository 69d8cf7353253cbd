import type { Ports } from '../core/ports.ts';
import type { Firing } from './firing.ts';

/** What commands on schedules act upon. */
export interface SchedulePorts extends Ports {
  readonly firing: Firing;
  /** The fire function could not be reached: logged; reconcile makes it good. */
  readonly firingLost: (error: unknown) => void;
}
