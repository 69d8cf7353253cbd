import type { Resource, ShownResource } from './resource.ts';

/** A resource as the wire has it: never its token. */
export function showResource(resource: Resource): ShownResource {
  switch (resource.type) {
    case 'memory_store':
      return {
        type: 'memory_store',
        memory_store_id: resource.memory_store_id,
        access: resource.access,
        description: resource.description,
        instructions: resource.instructions,
        mount_path: resource.mount_path,
        name: resource.name,
      };
    case 'file':
      return { ...common(resource), type: 'file', file_id: resource.file_id };
    case 'github_repository':
      return {
        ...common(resource),
        type: 'github_repository',
        url: resource.url,
        checkout: resource.checkout,
      };
  }
}

function common({ resource_id, mount_path, created_at, updated_at }: Resource) {
  return { id: resource_id, mount_path, created_at, updated_at };
}
