import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, ResourceProperties } from '@aws-cdk/service-spec-types';
import type { Template } from './stack.ts';

const database = loadAwsServiceSpecSync();

/** What CloudFormation's schemas say against a template, one line each. Custom resources have none. */
export function problems({ Resources }: Template): string[] {
  return Object.entries(Resources)
    .filter(([, { Type }]) => !Type.startsWith('Custom::'))
    .flatMap(([id, { Type, Properties }]) => {
      const [resource] = database.lookup('resource', 'cloudFormationType', 'equals', Type);
      if (!resource) return [`${id}: ${Type} is unknown`];
      return inRecord(Properties ?? {}, resource.properties, `${id} (${Type}) `);
    });
}

function inRecord(value: object, known: ResourceProperties, at: string): string[] {
  const missing = Object.entries(known)
    .filter(([name, { required }]) => required === true && !(name in value))
    .map(([name]) => `${at}${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const property = known[name];
    return property ? inProperty(inner, property, `${at}${name}`) : [`${at}${name} is unknown`];
  });
  return [...missing, ...wrong];
}

/** A property has grown types over the years: one of them is enough. */
function inProperty(value: unknown, { type, previousTypes = [] }: Property, at: string): string[] {
  return oneOf([type, ...previousTypes], value, at);
}

function oneOf(types: readonly PropertyType[], value: unknown, at: string): string[] {
  const answers = types.map((type) => inType(value, type, at));
  return answers.find((lines) => lines.length === 0) ?? answers[0] ?? [];
}

function inType(value: unknown, type: PropertyType, at: string): string[] {
  if (isIntrinsic(value)) return [];
  if (type.type === 'union') return oneOf(type.types, value, at);
  if (type.type === 'array') {
    if (!Array.isArray(value)) return [`${at}: not array`];
    return value.flatMap((each, n) => inType(each, type.element, `${at}.${n}`));
  }
  if (type.type !== 'map' && type.type !== 'ref') return inScalar(value, type, at);
  if (!isRecord(value)) return [`${at}: not object`];
  if (type.type === 'map') {
    return Object.entries(value).flatMap(([name, each]) =>
      inType(each, type.element, `${at}.${name}`),
    );
  }
  const { properties } = database.get('typeDefinition', type.reference.$ref);
  return inRecord(value, properties, `${at}.`);
}

/** CloudFormation turns text into numbers and booleans where it stands for one. */
const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  'date-time': (value) => typeof value === 'string',
  number: (value) => value !== '' && !Number.isNaN(Number(value)),
  integer: (value) => value !== '' && Number.isInteger(Number(value)),
  boolean: (value) => ['true', 'false'].includes(String(value)),
  tag: (value) => isRecord(value) && 'Key' in value,
  json: () => true,
  null: (value) => value === null,
};

function inScalar(value: unknown, type: PropertyType, at: string): string[] {
  if (scalars[type.type]?.(value) !== true) return [`${at}: not ${type.type}`];
  const values: readonly unknown[] | undefined =
    'allowedValues' in type ? type.allowedValues : undefined;
  return values && !values.includes(value) ? [`${at}: none of ${values.join(', ')}`] : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What only the deploy knows. */
function isIntrinsic(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const [name = '', ...more] = Object.keys(value);
  return more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
}
