import { expect, test } from 'vitest';
import { newEnvironment, updateEnvironment } from '#shared/environments/environment-rules.ts';
import type { Environment } from '#shared/environments/environment.ts';
import { EnvironmentCreate, EnvironmentUpdate } from '#shared/environments/environment-wire.ts';
import { parseBody } from '#shared/core/parse.ts';

/** Environments: what is filled in, what an update keeps, and what does not fit together. */

const now = '2026-01-01T00:00:00.000Z';
const later = '2026-01-02T00:00:00.000Z';
const no_packages = { type: 'packages', apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] };

const create = (body: object = {}): Environment =>
  newEnvironment('env_1', parseBody(EnvironmentCreate, { name: 'Sample', ...body }), now);

const update = (environment: Environment, body: object): Environment =>
  updateEnvironment(environment, parseBody(EnvironmentUpdate, body), later);

const cloud = (over: object): object => ({ config: { type: 'cloud', ...over } });
const limited = (over: object = {}): object => ({ type: 'limited', ...over });
const closed = { allowed_hosts: [], allow_mcp_servers: false, allow_package_managers: false };

test.each<[string, object]>([
  ['nothing', {}],
  ['nulls', { config: null, description: null, scope: null, metadata: null }],
  ['a bare cloud', cloud({})],
  ['a cloud of nulls', cloud({ networking: null, packages: null })],
  [
    'its defaults',
    {
      scope: 'organization',
      ...cloud({
        networking: { type: 'unrestricted' },
        packages: { type: 'packages', apt: [], pip: null },
      }),
    },
  ],
])('an environment made of %s has every field, with its defaults', (_, body) => {
  expect(create(body)).toEqual({
    id: 'env_1',
    type: 'environment',
    name: 'Sample',
    description: null,
    scope: 'organization',
    config: { type: 'cloud', networking: { type: 'unrestricted' }, packages: no_packages },
    metadata: {},
    created_at: now,
    updated_at: now,
    archived_at: null,
  });
});

test('limited networking is closed but for what is opened', () => {
  const made = (networking: object) => create(cloud({ networking })).config.networking;
  expect(made(limited())).toEqual({ type: 'limited', ...closed });
  expect(made(limited({ allowed_hosts: null, allow_mcp_servers: null }))).toEqual(limited(closed));
  const open = {
    allowed_hosts: ['api.example.com', '*.example.org', '192.0.2.1'],
    allow_mcp_servers: true,
    allow_package_managers: true,
  };
  expect(made(limited(open))).toEqual(limited(open));
});

const stored = create({
  description: 'Before',
  metadata: { team: 'red', cost: '1' },
  ...cloud({
    networking: limited({ allowed_hosts: ['a.com'], allow_package_managers: true }),
    packages: { pip: ['pandas==2.2.0'], npm: ['left-pad@1'] },
  }),
});

const network = (over: object): object => ({
  config: { ...stored.config, networking: { ...stored.config.networking, ...over } },
});
const packages = (over: object): object => ({
  config: { ...stored.config, packages: { ...stored.config.packages, ...over } },
});

test.each<[string, object, object]>([
  ['a name', { name: 'After' }, { name: 'After' }],
  ['a description', { description: 'After' }, { description: 'After' }],
  ['a description that is null', { description: null }, { description: null }],
  ['a description that is empty', { description: '' }, { description: '' }],
  ['a key of metadata', { metadata: { team: 'blue' } }, { metadata: { team: 'blue', cost: '1' } }],
  ['metadata that is null', { metadata: { cost: null } }, { metadata: { team: 'red' } }],
  ['metadata that is empty', { metadata: { cost: '' } }, { metadata: { team: 'red' } }],
  [
    'other hosts',
    cloud({ networking: limited({ allowed_hosts: ['b.com'] }) }),
    network({ allowed_hosts: ['b.com'] }),
  ],
  [
    'hosts that are null',
    cloud({ networking: limited({ allowed_hosts: null }) }),
    network({ allowed_hosts: [] }),
  ],
  [
    'a flag',
    cloud({ networking: limited({ allow_mcp_servers: true }) }),
    network({ allow_mcp_servers: true }),
  ],
  [
    'another networking',
    cloud({ networking: { type: 'unrestricted' } }),
    { config: { ...stored.config, networking: { type: 'unrestricted' } } },
  ],
  [
    'networking that is null',
    cloud({ networking: null }),
    { config: { ...stored.config, networking: { type: 'unrestricted' } } },
  ],
  ['packages of one manager', cloud({ packages: { npm: ['x'] } }), packages({ npm: ['x'] })],
  [
    'packages of one manager that are null',
    cloud({ packages: { pip: null } }),
    packages({ pip: [] }),
  ],
  ['packages that are null', cloud({ packages: null }), packages(no_packages)],
])('an update with %s changes just that', (_, body, changed) => {
  expect(update(stored, body)).toEqual({ ...stored, ...changed, updated_at: later });
});

test.each<[string, object]>([
  ['nothing', {}],
  ['nulls that keep', { name: null, scope: null, config: null, metadata: null }],
  ['a bare cloud', cloud({})],
  ['its own networking, written shorter', cloud({ networking: limited() })],
  ['its own packages, written shorter', cloud({ packages: {} })],
])('an update with %s changes nothing', (_, body) => {
  expect(update(stored, body)).toBe(stored);
});

test('limited networking after unrestricted begins with its defaults', () => {
  const changed = update(create(), cloud({ networking: limited({ allow_mcp_servers: true }) }));
  expect(changed.config.networking).toEqual(limited({ ...closed, allow_mcp_servers: true }));
});

test('packages need a way to their managers, however the two meet', () => {
  const message = /packages\.pip: limited networking needs allow_package_managers/;
  const with_pip = cloud({ packages: { pip: ['x'] } });
  expect(() => create(cloud({ networking: limited(), packages: { pip: ['x'] } }))).toThrow(message);
  expect(() => update(create(with_pip), cloud({ networking: limited() }))).toThrow(message);
  expect(() => update(create(cloud({ networking: limited() })), with_pip)).toThrow(message);
});

test('an archived environment is not updated', () => {
  expect(() => update({ ...stored, archived_at: now }, {})).toThrow(
    expect.objectContaining({ kind: 'invalid', details: { error_code: 'environment_archived' } }),
  );
});

test('self_hosted is refused by name: as not built yet, and as a change of type', () => {
  const self_hosted = { config: { type: 'self_hosted' } };
  expect(() => create(self_hosted)).toThrow(/not built yet/);
  expect(() => update(stored, self_hosted)).toThrow(
    expect.objectContaining({ details: { error_code: 'invalid_config_type_change' } }),
  );
});

test.each<[object, RegExp]>([
  [{ name: '' }, /^name: must have at least 1/],
  [{ name: 'n'.repeat(257) }, /^name: must have at most 256/],
  [{ scope: 'account' }, /^scope: 'account' needs accounts/],
  [{ config: { type: 'gpu' } }, /^config\.type: must be 'cloud' or 'self_hosted'/],
  [cloud({ image: 'x' }), /^config\.image: unknown field/],
  [
    cloud({ networking: limited({ allowed_hosts: ['https://a.com'] }) }),
    /allowed_hosts\.0: must be a host/,
  ],
  [
    cloud({ networking: limited({ allowed_hosts: ['a.com:443'] }) }),
    /allowed_hosts\.0: must be a host/,
  ],
  [cloud({ networking: limited({ allowed_hosts: ['*'] }) }), /allowed_hosts\.0: must be a host/],
  [
    cloud({ networking: limited({ allowed_hosts: ['a.*.com'] }) }),
    /allowed_hosts\.0: must be a host/,
  ],
  [
    cloud({ networking: { type: 'unrestricted', allowed_hosts: [] } }),
    /allowed_hosts: unknown field/,
  ],
  [cloud({ packages: { pip: ['--index-url=x'] } }), /pip\.0: must be a package/],
  [cloud({ packages: { pip: ['a b'] } }), /pip\.0: must be a package/],
  [cloud({ packages: { brew: ['x'] } }), /packages\.brew: unknown field/],
  [{ metadata: { k: 'v'.repeat(513) } }, /^metadata\.k: must have at most 512/],
])('the body %j is refused by name', (body, message) => {
  expect(() => create(body)).toThrow(message);
});
