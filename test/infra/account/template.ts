import { Refused } from './answers.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
}

/** The parts of a template that CloudFormation reads before it makes anything. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** Quotas of CloudFormation. */
const TEMPLATE_BYTES_MAX = 1_048_576;
const RESOURCES_MAX = 500;
const OUTPUTS_MAX = 200;

/** @throws Refused for what CloudFormation finds in a template when a change set is made of it */
export function parse(bytes: Buffer, capabilities: readonly string[]): Template {
  if (bytes.length > TEMPLATE_BYTES_MAX)
    throw invalid('Template may not exceed 1048576 bytes in size.');
  const template = JSON.parse(bytes.toString()) as Template;
  const resources = Object.values(template.Resources);
  const outputs = Object.keys(template.Outputs ?? {});
  if (resources.length > RESOURCES_MAX || outputs.length > OUTPUTS_MAX) {
    throw invalid(
      `Template format error: ${resources.length} resources, ${outputs.length} outputs`,
    );
  }
  const missing = lacking(resources, capabilities);
  if (missing !== undefined) {
    throw new Refused('InsufficientCapabilitiesException', `Requires capabilities : [${missing}]`);
  }
  inOrder(template);
  return template;
}

const invalid = (message: string): Refused => new Refused('ValidationError', message);

/** The capability that is not given, of what makes roles. */
function lacking(resources: readonly Resource[], given: readonly string[]): string | undefined {
  const roles = resources.filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  const is_named = roles.some(({ Properties }) => Properties?.['RoleName'] !== undefined);
  const needed = is_named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM';
  return roles.length > 0 && !given.includes(needed) ? needed : undefined;
}

/**
 * The resources in an order in which each comes behind all that it names.
 * @throws Refused for one that names what is not there, and for a circle
 */
export function inOrder({ Resources, Parameters = {}, Outputs = {} }: Template): string[] {
  const isGiven = (name: string): boolean =>
    name.startsWith('AWS::') || Object.hasOwn(Parameters, name);
  const named = (value: unknown): string[] => namesIn(value).filter((name) => !isGiven(name));
  const waits = new Map(
    Object.entries(Resources).map(([id, { DependsOn = [], ...resource }]) => [
      id,
      [...[DependsOn].flat(), ...named(resource)],
    ]),
  );
  const all = [...waits.values(), named(Outputs)].flat();
  const odd = all.filter((name) => !Object.hasOwn(Resources, name));
  if (odd.length > 0) {
    const names = [...new Set(odd)].join(', ');
    throw invalid(
      `Template format error: Unresolved resource dependencies [${names}] in the template`,
    );
  }
  const order: string[] = [];
  while (waits.size > 0) {
    const free = [...waits].filter(([, names]) => names.every((name) => !waits.has(name)));
    if (free.length === 0) {
      throw invalid(`Circular dependency between resources: [${[...waits.keys()].join(', ')}]`);
    }
    for (const [id] of free) waits.delete(id);
    order.push(...free.map(([id]) => id));
  }
  return order;
}

/** What `Ref`, `Fn::GetAtt` and `Fn::Sub` name in a value. */
function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [String([inner].flat()[0]).split('.')[0] ?? ''];
    if (key !== 'Fn::Sub') return namesIn(inner);
    const [text, given = {}] = [inner].flat() as [string, object?];
    const names = [...text.matchAll(/\$\{([^!.}]+)/g)].map(([, name = '']) => name);
    return [...names.filter((name) => !Object.hasOwn(given, name)), ...namesIn(given)];
  });
}
