import { gzipSync } from 'node:zlib';
import type { Random } from './random.ts';
import { idNames, pathOf, type Sample } from './samples.ts';
import type { RawRequest } from './send.ts';
import { odd_texts, unknownId } from './texts.ts';
import { spotsOf, worse, worseId, type Json, type Kit } from './worse.ts';

/** A request, what was done to it, and which field an error must name. */
export interface Hostile {
  readonly what: string;
  readonly request: RawRequest;
  /** Names from the body's root to what was changed, if one thing of the body was. */
  readonly field?: readonly string[];
}

const methodOf = ({ route }: Sample): string => route.slice(0, route.indexOf(' '));

/** A sample as a good client sends it. */
export function asSent(
  sample: Sample,
  key: string,
  body: string | undefined = bodyOf(sample),
): RawRequest {
  const query = new URLSearchParams(sample.query).toString();
  return {
    method: methodOf(sample),
    target: pathOf(sample) + (query === '' ? '' : `?${query}`),
    headers: [...headersOf(key), ...(body === undefined ? [] : [json])],
    ...(body === undefined ? {} : { body }),
  };
}

const json = ['content-type', 'application/json'] as const;

function headersOf(key: string): (readonly [string, string])[] {
  return [
    ['x-api-key', key],
    ['anthropic-version', '2023-06-01'],
    ['anthropic-beta', 'managed-agents-2026-04-01'],
  ];
}

function bodyOf({ body }: Sample): string | undefined {
  return body === undefined ? undefined : JSON.stringify(body);
}

function nested(depth: number, random: Random): string {
  return random.chance(0.5)
    ? '['.repeat(depth) + ']'.repeat(depth)
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** Change one value of the body. */
function changeOne(sample: Sample, kit: Kit): Hostile | undefined {
  const body = structuredClone(sample.body) as Json;
  const spots = spotsOf(body);
  if (spots.length === 0) return undefined;
  const spot = kit.random.of(spots);
  const to = worse(spot.value, kit);
  spot.replace(to);
  const shown = (JSON.stringify(to) ?? '').slice(0, 60);
  return inBody(sample, kit, {
    body,
    what: `${spot.names.join('.')} := ${shown}`,
    field: spot.names,
  });
}

function removeOne(sample: Sample, kit: Kit): Hostile | undefined {
  const body = structuredClone(sample.body) as Json;
  const spots = spotsOf(body);
  if (spots.length === 0) return undefined;
  const spot = kit.random.of(spots);
  spot.remove();
  return inBody(sample, kit, { body, what: `without ${spot.names.join('.')}`, field: spot.names });
}

const odd_names = [
  'extra',
  'id',
  'type',
  'workspace_id',
  'pk',
  'constructor',
  'toString',
  'a.b',
  '$ne',
  'naïve',
  'x'.repeat(500),
  '',
];

function addOne(sample: Sample, kit: Kit): Hostile | undefined {
  const body = structuredClone(sample.body ?? {}) as Json;
  const objects = [body, ...spotsOf(body).map(({ value }) => value)].filter(
    (value): value is { [name: string]: Json } =>
      typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  const name = kit.random.of(odd_names);
  const target = kit.random.of(objects);
  if (name in target && Object.hasOwn(target, name)) return undefined;
  Object.defineProperty(target, name, {
    value: 'x',
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return inBody(sample, kit, { body, what: `with ${name.slice(0, 40)}` });
}

function inBody(
  sample: Sample,
  { key }: Kit,
  {
    body,
    what,
    field,
  }: { readonly body: Json; readonly what: string; readonly field?: readonly string[] },
): Hostile {
  const request = asSent(sample, key, JSON.stringify(body));
  return { what, request, ...(field === undefined ? {} : { field }) };
}

/** Break the body's text, encoding or type. */
function breakText(sample: Sample, kit: Kit): Hostile | undefined {
  if (['GET', 'DELETE'].includes(methodOf(sample))) return undefined;
  const { random, key } = kit;
  const good = bodyOf(sample) ?? '{}';
  const cut = random.int(good.length);
  const texts: readonly (readonly [string, string | Uint8Array])[] = [
    ['truncated', good.slice(0, cut)],
    ['with a hole', good.slice(0, cut) + good.slice(cut + 1)],
    ['twice', good + good],
    ['a comma too many', good.replace(/\}$/, ',}')],
    ['a field twice', good.replace('{', '{"name":1,"name":2,')],
    ['__proto__', good.replace('{', '{"__proto__":{"admin":true},')],
    ['half a pair', good.replace('{', String.raw`{"name":"\ud800",`)],
    ['a name of half a pair', good.replace('{', String.raw`{"\udfff":1,`)],
    ['1e400', good.replace(/\d+/, '1e400')],
    ['NaN', good.replace(/:[^,}]+/, ':NaN')],
    ['an array', `[${good}]`],
    ['null', 'null'],
    ['a string', JSON.stringify(good)],
    ['a number', '1'],
    ['nested', nested(random.of([99, 101, 5_000, 100_000]), random)],
    ['nested inside', good.replace('{', `{"extra":${nested(120, random)},`)],
    ['empty', ''],
    ['a BOM', `\ufeff${good}`],
    ['UTF-16', Buffer.from(good, 'utf16le')],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from([0xff, 0xfe, 0x7d])]),
    ],
    ['gzip', gzipSync(good)],
    ['NULs', Buffer.alloc(100)],
  ];
  const [what, body] = random.of(texts);
  const request = { ...asSent(sample, key), body };
  return { what: `body: ${what}`, request: withType(request, json[1]) };
}

function withType(request: RawRequest, type: string): RawRequest {
  const others = request.headers.filter(([name]) => name !== 'content-type');
  return { ...request, headers: [...others, ['content-type', type]] };
}

function wrongType(sample: Sample, { random, key }: Kit): Hostile {
  const types = [
    'text/plain',
    'application/xml',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/octet-stream',
    'image/png',
    'x'.repeat(300),
    ';',
  ];
  const type = random.of(types);
  const request = asSent(sample, key, bodyOf(sample) ?? '{}');
  return { what: `content-type ${type.slice(0, 40)}`, request: withType(request, type) };
}

function tooLarge(sample: Sample, { key, random }: Kit): Hostile {
  const bytes = random.of([5_000_000, 8_000_000, 11_000_000]);
  const body = JSON.stringify({
    ...(sample.body as object | undefined),
    filler: 'x'.repeat(bytes),
  });
  return { what: `${bytes} bytes`, request: asSent(sample, key, body) };
}

function wrongMethod(sample: Sample, { random, key }: Kit): Hostile {
  const method = random.of([
    'PUT',
    'PATCH',
    'DELETE',
    'GET',
    'POST',
    'HEAD',
    'OPTIONS',
    'PROPFIND',
  ]);
  // Of a path that is shared a DELETE would be good, and take it away.
  const shared = {
    ...sample,
    ids: Object.fromEntries(
      Object.entries(sample.ids).map(([name, id]) => [name, unknownId(random, id)]),
    ),
  };
  const request = asSent(method === 'DELETE' ? shared : sample, key);
  return { what: `method ${method}`, request: { ...request, method } };
}

function wrongPath(sample: Sample, kit: Kit): Hostile | undefined {
  const { random, key } = kit;
  const names = idNames(sample.route);
  if (names.length === 0) return undefined;
  const name = random.of(names);
  const id = worseId(sample.ids[name] ?? 'sesn_x', kit);
  const request = asSent({ ...sample, ids: { ...sample.ids, [name]: id } }, key);
  return { what: `${name} = ${id.slice(0, 60)}`, request };
}

function oddTarget(sample: Sample, { random, key }: Kit): Hostile {
  const request = asSent(sample, key);
  const [path = '', query] = request.target.split('?');
  const paths = [
    `${path}/`,
    `/${path}`,
    path.replace('/v1/', '/v1//'),
    path.replace('/v1/', '/V1/'),
    `${path}%00`,
    `${path}%ff`,
    `${path}%zz`,
    `${path}/..%2f..%2f`,
    `${path}/%2e%2e`,
    `${path};a=b`,
    `${path}/${'a'.repeat(7_000)}`,
    `${path}%E2%80%AE`,
    `/v1/${'../'.repeat(20)}etc/passwd`,
  ];
  const target = random.of(paths) + (query === undefined ? '' : `?${query}`);
  // A path that is the same after all must not be one that destroys.
  const method = request.method === 'DELETE' ? 'GET' : request.method;
  return { what: `target ${target.slice(0, 100)}`, request: { ...request, method, target } };
}

const query_names = [
  'limit',
  'page',
  'order',
  'view',
  'types[]',
  'statuses[]',
  'created_at[gte]',
  'include_archived',
  'version',
  'agent_id',
  'scope_id',
  'ids[]',
  'depth',
  'path_prefix',
  'query',
  'format',
  'from',
  'to',
  'state',
];

function oddQuery(sample: Sample, kit: Kit): Hostile {
  const { random, key } = kit;
  const name = random.of([
    ...query_names,
    ...Object.keys(sample.query),
    '__proto__',
    'constructor',
    'x',
    '',
  ]);
  const value = random.of([
    ...odd_texts,
    '1e3',
    '0x10',
    '-5',
    '99999999999',
    '٣',
    'a'.repeat(5_000),
    'eyJrIjoiYSJ9',
    Object.values(kit.foreign)[0] ?? '',
  ]);
  const encoded = random.chance(0.1) ? '%zz' : encodeURIComponent(value.toWellFormed());
  const pair = `${encodeURIComponent(name)}=${encoded}`;
  const tail = random.of([
    pair,
    `${pair}&${pair}`,
    `${name}[]=${encoded}&${name}=1`,
    `${name}[a][b]=1`,
    '&&&',
    '?',
  ]);
  const request = asSent(sample, key);
  const target = `${request.target}${request.target.includes('?') ? '&' : '?'}${tail}`;
  return { what: `query ${tail.slice(0, 100)}`, request: { ...request, target } };
}

function oddHeader(sample: Sample, { random, key }: Kit): Hostile {
  const request = asSent(sample, key);
  const more: readonly (readonly [string, string])[] = [
    ['x-api-key', key],
    ['x-api-key', 'wrong'],
    ['authorization', 'Bearer wrong'],
    ['authorization', `Basic ${Buffer.from('a:b').toString('base64')}`],
    ['anthropic-version', '1999-01-01'],
    ['anthropic-version', '2023-06-01'],
    ['anthropic-beta', 'x'.repeat(3_000)],
    ['anthropic-beta', ',,,'],
    ['content-type', 'application/json'],
    ['content-type', 'text/plain'],
    ['idempotency-key', ''],
    ['idempotency-key', 'x'.repeat(2_000)],
    ['idempotency-key', '\u00ff\u00fe'],
    ['last-event-id', 'sevt_x'],
    ['last-event-id', 'x'.repeat(2_000)],
    ['range', 'bytes=5-1'],
    ['range', 'bytes=0-0,1-1'],
    ['if-match', '*'],
    ['content-encoding', 'gzip'],
    ['anthropic-workspace-id', 'wrkspc_other'],
    ['x-forwarded-for', '169.254.169.254'],
    ['x-http-method-override', 'DELETE'],
    ['accept', 'text/html'],
    ['cookie', 'a=b'],
  ];
  const added = random.of(more);
  const only = random.chance(0.3);
  const kept = only ? request.headers.filter(([name]) => name !== added[0]) : request.headers;
  const what = `header ${added[0]}: ${added[1].slice(0, 40)}${only ? ' alone' : ''}`;
  return { what, request: { ...request, headers: [...kept, added] } };
}

function withoutKey(sample: Sample, { random, key }: Kit): Hostile {
  const request = asSent(sample, key);
  const keys = [
    '',
    ' ',
    'rvr_' + 'A'.repeat(43),
    key.slice(0, -1),
    `${key}x`,
    'é',
    key.toUpperCase(),
  ];
  const others = request.headers.filter(([name]) => name !== 'x-api-key');
  const wrong = random.of(keys);
  const headers = random.chance(0.3) ? others : [...others, ['x-api-key', wrong] as const];
  return { what: `key ${wrong.slice(0, 10)}`, request: { ...request, headers } };
}

type Mutation = (sample: Sample, kit: Kit) => Hostile | undefined;

const mutations: readonly (readonly [share: number, Mutation])[] = [
  [34, changeOne],
  [8, removeOne],
  [8, addOne],
  [10, breakText],
  [4, wrongType],
  [4, wrongMethod],
  [10, wrongPath],
  [4, oddTarget],
  [12, oddQuery],
  [8, oddHeader],
  [3, withoutKey],
];
const weighted = mutations.flatMap(([share, mutation]) =>
  Array.from({ length: share }, () => mutation),
);

/** One thing is done to a good request. A few are much too large. */
export function mutate(sample: Sample, kit: Kit): Hostile {
  const { random } = kit;
  const may_be_large = !['GET', 'DELETE'].includes(methodOf(sample));
  if (may_be_large && random.chance(0.005)) return tooLarge(sample, kit);
  for (;;) {
    const hostile = random.of(weighted)(sample, kit);
    if (hostile !== undefined) return hostile;
  }
}
