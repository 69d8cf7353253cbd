import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../core/fault.ts';
import { mergeMetadata } from '../core/metadata.ts';
import type { CloudConfig, Environment, Networking, Packages } from './environment.ts';
import type {
  CloudParams,
  EnvironmentCreate,
  EnvironmentUpdate,
  NetworkingParams,
  PackagesParams,
} from './environment-wire.ts';

const unset: CloudConfig & { readonly packages: Packages } = {
  type: 'cloud',
  networking: { type: 'unrestricted' },
  packages: { type: 'packages', apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
};

/** The order in which packages are installed. */
const managers = ['apt', 'cargo', 'gem', 'go', 'npm', 'pip'] as const;

/** @throws Fault `invalid` when its parts do not fit together, or name what is not built. */
export function newEnvironment(id: string, body: EnvironmentCreate, now: string): Environment {
  if (body.config?.type === 'self_hosted') {
    throw new Fault(
      'invalid',
      'config.type: self_hosted environments are not built yet. Use cloud.',
    );
  }
  return {
    id,
    type: 'environment',
    name: body.name,
    description: body.description ?? null,
    scope: 'organization',
    config: mergeConfig(unset, body.config),
    metadata: { ...body.metadata },
    created_at: now,
    updated_at: now,
    archived_at: null,
  };
}

/**
 * Decide what an update makes of an environment. Pure. Omitted is kept, at every level of `config`;
 * null takes the default there, and clears the description; metadata merges by key.
 *
 * @returns `environment` itself when nothing changes.
 * @throws Fault `invalid` when it is archived, or when the result would not fit together.
 */
export function updateEnvironment(
  environment: Environment,
  body: EnvironmentUpdate,
  now: string,
): Environment {
  if (environment.archived_at !== null) {
    throw new Fault(
      'invalid',
      `environment '${environment.id}' is archived, so it cannot be updated.`,
      { details: { error_code: 'environment_archived' } },
    );
  }
  if (body.config?.type === 'self_hosted') {
    throw new Fault(
      'invalid',
      "config.type: cannot change from 'cloud' to 'self_hosted'. Create another environment.",
      { details: { error_code: 'invalid_config_type_change' } },
    );
  }
  const { name, description } = body;
  const next: Environment = {
    ...environment,
    name: name ?? environment.name,
    description: description === undefined ? environment.description : description,
    config: mergeConfig(environment.config, body.config),
    metadata: mergeMetadata(environment.metadata, emptyDeletes(body.metadata)),
  };
  return isDeepStrictEqual(next, environment) ? environment : { ...next, updated_at: now };
}

/** Environments delete a key by null or by an empty string. */
function emptyDeletes(patch: EnvironmentUpdate['metadata']): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(patch ?? {}).map(([key, value]) => [key, value || null]),
  );
}

function mergeConfig(stored: CloudConfig, params: CloudParams | null | undefined): CloudConfig {
  if (params == null) return stored;
  const config: CloudConfig = {
    type: 'cloud',
    networking: mergeNetworking(stored.networking, params.networking),
    packages: mergePackages({ ...unset.packages, ...stored.packages }, params.packages),
  };
  checkPackages(config);
  return config;
}

function mergeNetworking(
  stored: Networking,
  params: NetworkingParams | null | undefined,
): Networking {
  if (params === undefined) return stored;
  if (params === null || params.type === 'unrestricted') return { type: 'unrestricted' };
  // Another type than the stored one starts from the defaults.
  const base = stored.type === 'limited' ? stored : undefined;
  const flag = (sent: boolean | null | undefined, kept = false): boolean =>
    sent === undefined ? kept : (sent ?? false);
  return {
    type: 'limited',
    allowed_hosts:
      params.allowed_hosts === undefined
        ? (base?.allowed_hosts ?? [])
        : (params.allowed_hosts ?? []),
    allow_mcp_servers: flag(params.allow_mcp_servers, base?.allow_mcp_servers),
    allow_package_managers: flag(params.allow_package_managers, base?.allow_package_managers),
  };
}

function mergePackages(stored: Packages, params: PackagesParams | null | undefined): Packages {
  if (params === undefined) return stored;
  if (params === null) return unset.packages;
  const merged = { ...stored };
  for (const manager of managers) {
    const sent = params[manager];
    if (sent !== undefined) merged[manager] = sent ?? [];
  }
  return merged;
}

function checkPackages({ networking, packages }: CloudConfig): void {
  if (networking.type !== 'limited' || networking.allow_package_managers) return;
  const manager = managers.find((name) => packages[name].length > 0);
  if (manager === undefined) return;
  throw new Fault(
    'invalid',
    `config.packages.${manager}: limited networking needs allow_package_managers: true to install packages.`,
  );
}
