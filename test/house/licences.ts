import { read } from './sources.ts';

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** A package that an installation without development tools has. */
export interface Licensed {
  readonly name: string;
  readonly licence: string;
  /** It may be missing: nothing of ours loads it, or only where it has a build. */
  readonly is_optional: boolean;
}

/** All that is installed to deploy and run the platform, by the lock file. */
export function licensed(): Licensed[] {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { license, optional }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      licence: license ?? 'unknown',
      is_optional: optional === true,
    }));
}

/** Names are told where there are few: of the others the lock file tells. */
const NAMES_MAX = 6;

export function licencesTable(): string {
  const by_licence = Map.groupBy(licensed(), ({ licence }) => licence);
  const rows = [...by_licence]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .map(([licence, packages]) => {
      const names = [...new Set(packages.map(({ name }) => `\`${name}\``))].toSorted();
      const shown = names.length > NAMES_MAX ? '' : names.join(', ');
      return `| ${licence} | ${packages.length} | ${shown} |`;
    });
  return ['| licence | packages | which |', '|---|--:|---|', ...rows].join('\n');
}
