import type { Ports } from '../core/ports.ts';
import type { Provider } from '../models/model.ts';
import type { Firing } from './firing.ts';

/** What commands on schedules act upon. */
export interface SchedulePorts extends Ports {
  readonly firing: Firing;
  /** How the deployment reaches its models: not each provider has batches. */
  readonly model_provider: Provider;
  /** The fire function could not be reached: logged; reconcile makes it good. */
  readonly firingLost: (error: unknown) => void;
}
