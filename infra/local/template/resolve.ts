import { BootError } from '../boot-error.ts';
import { place } from '../place.ts';
import { identityOf } from './resource-types.ts';
import { isRecord, list, text, type Template } from './template.ts';

/** Stands for `AWS::NoValue`: the property that holds it is left out. */
const nothing = Symbol('AWS::NoValue');

const pseudo: Readonly<Record<string, unknown>> = {
  'AWS::Region': place.region,
  'AWS::AccountId': place.account,
  'AWS::Partition': place.partition,
  'AWS::URLSuffix': place.url_suffix,
  'AWS::StackName': 'Reverie',
  'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.account}:stack/Reverie/local`,
  'AWS::NoValue': nothing,
};

type Intrinsic = (resolver: Resolver, argument: unknown) => unknown;

const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (resolver, name) => resolver.ref(text(name, 'Ref')),
  'Fn::GetAtt': (resolver, path) => {
    const [id = '', ...rest] = typeof path === 'string' ? path.split('.') : (path as string[]);
    return resolver.attribute(id, rest.join('.'));
  },
  'Fn::Join': (resolver, argument) => {
    const [separator, parts] = argument as [string, unknown];
    const values = list(resolver.resolve(parts));
    return values.map((part) => text(part, 'Fn::Join')).join(separator);
  },
  'Fn::Sub': (resolver, argument) => resolver.substitute(argument),
  'Fn::Select': (resolver, argument) => {
    const [index, values] = argument as [unknown, unknown];
    return list(resolver.resolve(values))[Number(resolver.resolve(index))];
  },
  'Fn::Split': (resolver, argument) => {
    const [separator, value] = argument as [string, unknown];
    return text(resolver.resolve(value), 'Fn::Split').split(separator);
  },
  'Fn::If': (resolver, argument) => {
    const [name, yes, no] = argument as [string, unknown, unknown];
    return resolver.resolve(resolver.condition(name) ? yes : no);
  },
  'Fn::FindInMap': (resolver, argument) => {
    const [map, first, second] = list(resolver.resolve(argument)).map(String);
    return resolver.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
  },
  'Fn::Equals': (resolver, argument) => {
    const [left, right] = list(resolver.resolve(argument));
    return left === right;
  },
  'Fn::Not': (resolver, argument) => resolver.resolve(list(argument)[0]) !== true,
  'Fn::And': (resolver, argument) =>
    list(argument).every((part) => resolver.resolve(part) === true),
  'Fn::Or': (resolver, argument) => list(argument).some((part) => resolver.resolve(part) === true),
};

/** Turns a template's values into what they would be in the account. */
export class Resolver {
  readonly template: Template;

  constructor(template: Template) {
    this.template = template;
  }

  /** @throws BootError for an intrinsic function or a name that the host does not know. */
  resolve(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((each) => this.resolve(each)).filter((each) => each !== nothing);
    }
    if (!isRecord(value)) return value;
    const [key = ''] = Object.keys(value);
    if (Object.keys(value).length === 1 && (key === 'Ref' || key.startsWith('Fn::'))) {
      const intrinsic = intrinsics[key];
      if (intrinsic === undefined) throw new BootError(`The local host does not know ${key}.`);
      return intrinsic(this, value[key]);
    }
    const entries = Object.entries(value).map(([name, each]) => [name, this.resolve(each)]);
    return Object.fromEntries(entries.filter(([, each]) => each !== nothing));
  }

  ref(name: string): unknown {
    if (name in pseudo) return pseudo[name];
    const parameter = this.template.Parameters?.[name];
    if (parameter !== undefined) return parameter.Default ?? '';
    return this.#identity(name).ref;
  }

  attribute(id: string, attribute: string): unknown {
    const identity = this.#identity(id);
    const value = identity.attributes[attribute];
    if (value !== undefined) return value;
    const type = this.template.Resources[id]?.Type;
    throw new BootError(`The local host has no attribute ${attribute} of ${id} (${type}).`);
  }

  condition(name: string): boolean {
    const condition = this.template.Conditions?.[name];
    if (condition === undefined) throw new BootError(`The template has no condition ${name}.`);
    // A condition's own operators are evaluated like any other value.
    return this.resolve(condition) === true;
  }

  substitute(argument: unknown): string {
    const [pattern, values] = Array.isArray(argument) ? argument : [argument, {}];
    const local = values as Record<string, unknown>;
    return text(pattern, 'Fn::Sub').replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (name in local) return text(this.resolve(local[name]), whole);
      const [id = '', ...rest] = name.split('.');
      const value = rest.length > 0 ? this.attribute(id, rest.join('.')) : this.ref(name);
      return text(value, whole);
    });
  }

  #identity(id: string): ReturnType<typeof identityOf> {
    const resource = this.template.Resources[id];
    if (resource === undefined) throw new BootError(`The template has no resource ${id}.`);
    return identityOf(id, resource, this);
  }
}
