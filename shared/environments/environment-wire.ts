import { isIP } from 'node:net';
import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { MetadataCreate, MetadataPatch } from '../core/metadata.ts';
import { queryBoolean, queryInt } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/i;

const AllowedHosts = z
  .array(
    z
      .string()
      .max(limits.domain_chars_max)
      .refine(
        (text) => HOST.test(text) || isIP(text) === 4,
        'must be a host like api.example.com, or *.example.com, without scheme, port or path.',
      ),
  )
  .max(limits.allowed_hosts_max);

const NetworkingParams = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('unrestricted') }),
  z.strictObject({
    type: z.literal('limited'),
    allowed_hosts: AllowedHosts.nullish(),
    allow_mcp_servers: z.boolean().nullish(),
    allow_package_managers: z.boolean().nullish(),
  }),
]);
export type NetworkingParams = z.output<typeof NetworkingParams>;

/** A package and maybe its version, as its manager writes it; never an option of its command line. */
const PackageList = z
  .array(
    z
      .string()
      .max(limits.package_chars_max)
      .regex(
        /^[A-Za-z0-9@][\x21-\x7e]*$/,
        'must be a package as its manager writes it, like pandas==2.2.0.',
      ),
  )
  .max(limits.packages_max)
  .nullish();

const PackagesParams = z.strictObject({
  type: z.literal('packages').optional(),
  apt: PackageList,
  cargo: PackageList,
  gem: PackageList,
  go: PackageList,
  npm: PackageList,
  pip: PackageList,
});
export type PackagesParams = z.output<typeof PackagesParams>;

const CloudParams = z.strictObject({
  type: z.literal('cloud'),
  networking: NetworkingParams.nullish(),
  packages: PackagesParams.nullish(),
});
export type CloudParams = z.output<typeof CloudParams>;

const Config = z
  .discriminatedUnion('type', [CloudParams, z.strictObject({ type: z.literal('self_hosted') })])
  .nullish();

const scope = z
  .enum(['organization', 'account'])
  .refine(
    (text) => text !== 'account',
    "'account' needs accounts, and keys have none. Leave it out.",
  )
  .nullish();
const name = textUpTo(limits.name_chars_max).min(1);
const description = textUpTo(limits.description_chars_max).nullish();

export const EnvironmentCreate = z.strictObject({
  name,
  description,
  scope,
  config: Config,
  metadata: MetadataCreate.nullish(),
});
export type EnvironmentCreate = z.output<typeof EnvironmentCreate>;

export const EnvironmentUpdate = z.strictObject({
  name: name.nullish(),
  description,
  scope,
  config: Config,
  metadata: MetadataPatch.nullish(),
});
export type EnvironmentUpdate = z.output<typeof EnvironmentUpdate>;

export const EnvironmentListQuery = z.strictObject({
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
  include_archived: queryBoolean.default(false),
});
export type EnvironmentListQuery = z.output<typeof EnvironmentListQuery>;
