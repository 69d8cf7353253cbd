import type {
  BetaCloudConfig,
  BetaEnvironment,
  BetaLimitedNetwork,
  BetaPackages,
  BetaUnrestrictedNetwork,
} from '@anthropic-ai/sdk/resources/beta/environments/environments';
import { createHash } from 'node:crypto';
import type { Stored } from '../core/stored.ts';
import type { Key, Row } from '../core/table.ts';

/** An environment with every default filled in: what is stored is what is shown. */
export interface Environment extends BetaEnvironment {
  readonly config: CloudConfig;
}
export type CloudConfig = BetaCloudConfig;
export type Networking = BetaUnrestrictedNetwork | BetaLimitedNetwork;
export type Packages = Required<BetaPackages>;

/** `ENV#<id>` / `HEAD` */
export interface EnvironmentHead extends Row {
  readonly workspace_id: string;
  /** Rises with every change, so that a change is decided upon what it replaces. */
  readonly revision: number;
  readonly name: string;
  readonly archived_at: string | null;
  readonly environment: Stored<Environment>;
  /** How many sessions refer to this environment; absent means none ever did. */
  readonly sessions_count?: number;
}

/** `ENVNAME#<hash>` / `CLAIM`: one environment of a workspace holds a name at a time. */
export interface NameClaim extends Row {
  readonly environment_id: string;
}

export function environmentKey(id: string): Key {
  return { pk: `ENV#${id}`, sk: 'HEAD' };
}

/** Hashed, because a name may be longer than a key, and hold what separates the parts of one. */
export function nameKey(workspace_id: string, name: string): Key {
  const hash = createHash('sha256').update(`${workspace_id}\n${name}`).digest('hex');
  return { pk: `ENVNAME#${hash}`, sk: 'CLAIM' };
}
