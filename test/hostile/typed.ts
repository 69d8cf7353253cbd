import { operations, type Sent } from '../compat/operations.ts';
import { wireSchemas, type Schema } from '../wire/schemas.ts';
import type { Random } from './random.ts';
import { odd_texts } from './texts.ts';
import type { Ids } from './world.ts';

const schemas = await wireSchemas();
const sents = new Map<string, Sent>(
  operations().flatMap(({ method, path, sent }) =>
    sent === undefined ? [] : [[`${method} ${path}`, sent] as const],
  ),
);

/** Deeper than any type that means something. */
const DEPTH_MAX = 12;

/** What the SDK's types allow a route to be sent as its body; undefined where they know of none. */
export function typedBody(route: string, ids: Ids, random: Random): unknown {
  const sent = sents.get(route);
  return sent?.as === 'body' ? make(sent, ids, random) : undefined;
}

/** The same as its query. */
export function typedQuery(route: string, ids: Ids, random: Random): Record<string, string> {
  const sent = sents.get(route);
  if (sent?.as !== 'query') return {};
  const made = Object.entries(make(sent, ids, random));
  const texts = made.map(([name, value]): [string, string] =>
    Array.isArray(value) ? [`${name}[]`, String(value[0] ?? '')] : [name, String(value)],
  );
  return Object.fromEntries(texts);
}

function make(sent: Sent, ids: Ids, random: Random): Record<string, unknown> {
  const schema = schemas.definitions?.[sent.type];
  const all = valueOf(schema ?? {}, { name: '', ids, random, depth: 0 });
  const entries = Object.entries(all as object).filter(([name]) => !sent.except.includes(name));
  return Object.fromEntries(entries);
}

interface Place {
  readonly name: string;
  readonly ids: Ids;
  readonly random: Random;
  readonly depth: number;
}

function valueOf(schema: Schema, place: Place): unknown {
  const { random, depth } = place;
  if (depth > DEPTH_MAX) return null;
  if (schema.$ref !== undefined) {
    const found = schemas.definitions?.[schema.$ref.replace('#/definitions/', '')];
    return valueOf(found ?? {}, place);
  }
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema['enum'])) return random.of(schema['enum'] as unknown[]);
  const branches = schema.anyOf ?? (schema['oneOf'] as Schema[] | undefined);
  if (branches !== undefined) return valueOf(random.of(branches), { ...place, depth: depth + 1 });
  const type = Array.isArray(schema['type']) ? random.of(schema['type']) : schema['type'];
  return plainValue(String(type), schema, place);
}

function plainValue(type: string, schema: Schema, place: Place): unknown {
  const { random, depth } = place;
  switch (type) {
    case 'object':
      return objectOf(schema, place);
    case 'array': {
      const items = (schema['items'] as Schema | undefined) ?? {};
      const count = random.of([0, 1, 1, 2]);
      return Array.from({ length: count }, () => valueOf(items, { ...place, depth: depth + 1 }));
    }
    case 'string':
      return textOf(place);
    case 'number':
    case 'integer':
      return random.of([0, 1, 2, 10, 100]);
    case 'boolean':
      return random.chance(0.5);
    default:
      return null;
  }
}

function objectOf(schema: Schema, place: Place): object {
  const required = new Set((schema['required'] as string[] | undefined) ?? []);
  const entries = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    if (!required.has(name) && place.random.chance(0.5)) return [];
    return [[name, valueOf(inner, { ...place, name, depth: place.depth + 1 })] as const];
  });
  const made = Object.fromEntries(entries);
  const is_map = entries.length === 0 && typeof schema['additionalProperties'] === 'object';
  return is_map ? { team: 'test' } : made;
}

/** Texts that are good for a name, often enough that a request gets far. */
const good: Readonly<Record<string, readonly string[]>> = {
  model: ['claude-sonnet-5-5'],
  url: ['https://example.com/mcp', 'https://github.com/octo/hello'],
  path: ['/notes/a.md', '/b'],
  mount_path: ['/mnt/session/uploads/x.csv', '/data.csv'],
  amount: ['5000'],
  currency: ['USD'],
  media_type: ['text/plain', 'image/png'],
  data: ['aGVsbG8='],
};

function textOf({ name, ids, random }: Place): string {
  if (random.chance(0.04)) return random.of(odd_texts);
  const known = Object.hasOwn(good, name) ? good[name] : undefined;
  if (known !== undefined) return random.of(known);
  if (name === 'agent' || name === 'id') return ids['agent_id'] ?? '';
  if (name.endsWith('_at') || name.startsWith('created_at')) return '2026-11-01T00:00:00Z';
  const id = [name, name.replace(/s$/, '')].find((one) => Object.hasOwn(ids, one));
  return ids[id ?? ''] ?? random.of(['a', 'Sample', 'some words of a text']);
}
