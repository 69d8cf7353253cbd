import { limits } from '../core/limits.ts';
import type { RepositoryResource, Resource } from './resource.ts';

/** What an agent is told of the files and repositories that were mounted for it. */
export function mountedLines(resources: readonly Resource[]): string[] {
  const files = resources.filter(({ type }) => type === 'file');
  const repositories = resources.filter((one) => one.type === 'github_repository');
  const shown = files.slice(0, limits.prompt_files_max);
  const lines = [
    ...repositories.map(repositoryLine),
    ...shown.map(({ mount_path }) => `- ${mount_path} (file)`),
    ...(files.length > shown.length ? [`- and ${files.length - shown.length} more files`] : []),
  ];
  return lines.length === 0 ? [] : ['These were mounted for you:', ...lines];
}

function repositoryLine({ mount_path, url, checkout, state }: RepositoryResource): string {
  const at =
    checkout === null
      ? ''
      : ` at ${checkout.type === 'branch' ? `branch ${checkout.name}` : `commit ${checkout.sha}`}`;
  const missing = state === 'ready' ? '' : '; it could not be fetched and is not there now';
  return `- ${mount_path} (repository ${url}${at}, its files without their history${missing})`;
}
