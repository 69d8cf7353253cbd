import { BootError } from '../boot-error.ts';
import { Resolver } from './resolve.ts';
import { checkProperties, physicalName } from './resource-types.ts';
import { record, type Located, type Template } from './template.ts';

/** The template, checked and resolved: what the host builds itself from. */
export class Stack {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly #resources: readonly Located[];

  /** @throws BootError for a type, property, attribute or function that the host does not know. */
  constructor(template: Template) {
    const resolver = new Resolver(template);
    const present = Object.entries(template.Resources).filter(
      ([, { Condition }]) => Condition === undefined || resolver.condition(Condition),
    );
    for (const [id, resource] of present) checkProperties(id, resource);
    this.#resources = present.map(([id, resource]) => ({
      id,
      type: resource.Type,
      name: physicalName(id, resource, resolver),
      properties: record(resolver.resolve(resource.Properties ?? {})),
      metadata: resource.Metadata ?? {},
    }));
    const outputs = Object.entries(template.Outputs ?? {});
    this.outputs = Object.fromEntries(
      outputs.map(([name, { Value }]) => [name, resolver.resolve(Value)]),
    );
  }

  all(...types: string[]): readonly Located[] {
    return this.#resources.filter(({ type }) => types.includes(type));
  }

  /** @throws BootError when the template has none. */
  one(...types: string[]): Located {
    const [first] = this.all(...types);
    if (first === undefined) throw new BootError(`The template has no ${types.join(' or ')}.`);
    return first;
  }
}
