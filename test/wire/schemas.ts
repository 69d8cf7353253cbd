import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { operations, sdkVersion, type Declared } from '../compat/operations.ts';

/** A JSON Schema, as far as this room looks into one. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly const?: unknown;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache_dir = join(root, 'node_modules/.cache/wire');

/** Raise it when this file makes other schemas from the same package. */
const FORMAT = 4;

/**
 * JSON Schemas of everything that the installed SDK expects in an answer or can be told to send, by
 * the names of its own TypeScript types. Made once for each version of the SDK, then read from
 * node_modules/.cache.
 */
export function wireSchemas(): Promise<Schema> {
  // Two modules of one process ask at the same time: the files below have its number.
  return (asked ??= made());
}

let asked: Promise<Schema> | undefined;

async function made(): Promise<Schema> {
  const file = join(cache_dir, `${sdkVersion()}-${FORMAT}.json`);
  const cached = await readFile(file, 'utf8').catch(() => undefined);
  if (cached !== undefined) return JSON.parse(cached) as Schema;
  const schema = strict(await generate());
  // Two processes may get here at once: each writes its own file, and the rename is atomic.
  await writeFile(`${file}.${process.pid}`, JSON.stringify(schema));
  await rename(`${file}.${process.pid}`, file);
  return schema;
}

/** All types that answer something or are sent, and the list of `error.type`. */
function wireTypes(): Declared[] {
  const declared = operations().flatMap(({ answer, sent }) => [
    ...(answer.kind === 'binary' ? [] : [answer]),
    ...(sent === undefined ? [] : [sent]),
  ]);
  const errors = { type: 'ErrorType', module: 'shared' };
  const byName = new Map([...declared, errors].map((one) => [one.type, one]));
  return [...byName.values()];
}

async function generate(): Promise<Schema> {
  await mkdir(cache_dir, { recursive: true });
  const source = join(cache_dir, `wire-${process.pid}.ts`);
  const types = wireTypes();
  const imports = types.map(
    ({ type, module }) => `import type { ${type} } from '@anthropic-ai/sdk/resources/${module}';`,
  );
  const fields = types.map(({ type }) => `${type}: ${type};`);
  await writeFile(source, [...imports, 'export interface Wire {', ...fields, '}'].join('\n'));
  const tsconfig = join(cache_dir, 'tsconfig.json');
  const compilerOptions = { module: 'NodeNext', strict: true, skipLibCheck: true, types: [] };
  await writeFile(tsconfig, JSON.stringify({ compilerOptions }));
  const program = join(
    root,
    'node_modules/ts-json-schema-generator/bin/ts-json-schema-generator.js',
  );
  const flags = ['--no-type-check', '--expose', 'all', '--jsDoc', 'none', '--no-ref-encode'];
  const args = [program, '--path', source, '--type', 'Wire', '--tsconfig', tsconfig, ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    maxBuffer: 64 * 1024 * 1024,
  });
  await rm(source);
  return JSON.parse(stdout) as Schema;
}

/** RFC 3339 in UTC, as the API writes every time. */
const TIME = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$';

/**
 * What the generator leaves loose: a time is any string to it, and a union of objects would be
 * tried branch by branch, with an error for each. With `type` as discriminator one branch speaks.
 */
function strict(schema: Schema): Schema {
  const definitions = schema.definitions ?? {};
  const walk = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, walk(inner, key)] as const);
    const walked = Object.fromEntries(entries) as Schema;
    const isTime = name.endsWith('_at') && String(walked['type']).includes('string');
    return isTime ? { ...walked, pattern: TIME } : discriminated(walked, definitions);
  };
  return walk(schema) as Schema;
}

function discriminated(schema: Schema, definitions: Readonly<Record<string, Schema>>): Schema {
  const { anyOf, ...rest } = schema;
  if (anyOf === undefined) return schema;
  const tags = anyOf.map((branch) => resolve(branch, definitions).properties?.['type']?.const);
  const distinct = new Set(tags).size === tags.length;
  if (!distinct || tags.some((tag) => typeof tag !== 'string')) return schema;
  return {
    ...rest,
    type: 'object',
    discriminator: { propertyName: 'type' },
    required: ['type'],
    oneOf: anyOf,
  };
}

function resolve(schema: Schema, definitions: Readonly<Record<string, Schema>>): Schema {
  if (schema.$ref === undefined) return schema;
  return definitions[schema.$ref.replace('#/definitions/', '')] ?? schema;
}
