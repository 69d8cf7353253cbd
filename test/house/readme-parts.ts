import { routes } from '../../shared/routes.ts';
import { compatibility, markdown } from '../compat/table.ts';
import { idleCostTable } from '../infra/idle-cost.ts';
import { settingsTable } from '../infra/settings-table.ts';
import { licencesTable } from './licences.ts';
import { read } from './sources.ts';

/**
 * The parts of the README that are made, not written: each stands between `<!-- name -->` and
 * `<!-- /name -->`. `npx node test/house/write-readme.ts` writes them.
 */
export const parts: Readonly<Record<string, () => string>> = {
  quickstart: () => `\`\`\`ts\n${read('test/quickstart.ts').trimEnd()}\n\`\`\``,
  compat: () => markdown(compatibility()),
  'own-routes': () => {
    const scopes = new Map(Object.entries(routes).map(([name, { scope }]) => [name, scope]));
    const lines = compatibility().own.map((name) => `| \`${name}\` | ${scopes.get(name)} |`);
    return ['| route | scope of the key |', '|---|---|', ...lines].join('\n');
  },
  settings: settingsTable,
  'idle-cost': idleCostTable,
  licences: licencesTable,
};

/** What the README has between a part's marks, or undefined when they are missing. */
export function partOf(readme: string, name: string): string | undefined {
  const [start, end] = marks(readme, name);
  return start === -1 || end === -1 ? undefined : readme.slice(start, end).trim();
}

/** The README with another text between a part's marks. @throws Error when they are missing */
export function withPart(readme: string, name: string, made: string): string {
  const [start, end] = marks(readme, name);
  if (start === -1 || end === -1) throw new Error(`README.md has no marks for ${name}`);
  return `${readme.slice(0, start)}\n${made}\n${readme.slice(end)}`;
}

/** The README with every part as it should be. */
export function withParts(readme: string): string {
  const made = Object.entries(parts).map(([name, make]) => [name, make()] as const);
  return made.reduce((text, [name, part]) => withPart(text, name, part), readme);
}

function marks(text: string, name: string): [start: number, end: number] {
  const opening = `<!-- ${name} -->`;
  const at = text.indexOf(opening);
  return [at === -1 ? -1 : at + opening.length, text.indexOf(`<!-- /${name} -->`)];
}
