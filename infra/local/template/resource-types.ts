import { BootError } from '../boot-error.ts';
import type { Identity, ResourceType } from './identity.ts';
import { resourceTypes } from './known-types.ts';
import type { Resource } from './template.ts';

interface Values {
  resolve(value: unknown): unknown;
}

/** What `Ref` and `Fn::GetAtt` of a resource give. @throws BootError for an unknown type. */
export function identityOf(id: string, resource: Resource, values: Values): Identity {
  return typeOf(id, resource).identity({ id, name: physicalName(id, resource, values) });
}

export function physicalName(id: string, resource: Resource, values: Values): string {
  const { named_by } = typeOf(id, resource);
  const given = named_by === undefined ? undefined : resource.Properties?.[named_by];
  if (given === undefined) return resource.Type === 'AWS::S3::Bucket' ? id.toLowerCase() : id;
  return String(values.resolve(given));
}

/** @throws BootError naming the first property that the host does not know. */
export function checkProperties(id: string, resource: Resource): void {
  const { implemented, ignored } = typeOf(id, resource);
  for (const property of Object.keys(resource.Properties ?? {})) {
    if (implemented.includes(property) || property in ignored) continue;
    throw new BootError(
      `The local host does not know the property ${property} of ${id} (${resource.Type}). ` +
        'Implement it, or name the reason to ignore it, in infra/local/template/known-types.ts.',
    );
  }
}

function typeOf(id: string, resource: Resource): ResourceType {
  const custom = resource.Type.startsWith('Custom::') ? 'AWS::CloudFormation::CustomResource' : '';
  const type = resourceTypes[custom === '' ? resource.Type : custom];
  if (type !== undefined) return type;
  throw new BootError(
    `The local host does not know the resource type ${resource.Type} of ${id}. ` +
      'Add it to infra/local/template/known-types.ts.',
  );
}
