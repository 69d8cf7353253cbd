import { arn, place } from '../place.ts';

export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** What the host knows of one resource type. */
export interface ResourceType {
  /** Properties that the host acts on. */
  readonly implemented: readonly string[];
  /** Properties that change nothing on one machine, each with the reason. */
  readonly ignored: Readonly<Record<string, string>>;
  /** The property that names it, if its author did. */
  readonly named_by?: string;
  readonly identity: (resource: Named) => Identity;
}

/** The identity of a type whose `Ref` is its name and which has an ARN. */
export function withArn(service: string, prefix: string) {
  return ({ name }: Named): Identity => ({
    ref: name,
    attributes: { Arn: arn(service, `${prefix}${name}`) },
  });
}

/** The identity of a type of which only the name is ever asked. */
export function byName({ name }: Named): Identity {
  return { ref: name, attributes: { Id: name } };
}

/** Secrets' ARNs end in six characters that AWS draws; ours are always the same. */
export function secretArn(name: string): string {
  return arn('secretsmanager', `secret:${name}-local1`);
}

export function queueUrl(name: string): string {
  return `https://sqs.${place.region}.amazonaws.com/${place.account}/${name}`;
}
