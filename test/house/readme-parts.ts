import { routes } from '../../shared/routes.ts';
import { compatibility, markdown } from '../compat/table.ts';
import { read } from './sources.ts';

/**
 * The parts of the README that are made, not written: each stands between `<!-- name -->` and
 * `<!-- /name -->`. `npx tsx test/house/write-readme.ts` writes them.
 */
export const parts: Readonly<Record<string, () => string>> = {
  quickstart: () => `\`\`\`ts\n${read('test/quickstart.ts').trimEnd()}\n\`\`\``,
  compat: () => markdown(compatibility()),
  'own-routes': () => {
    const scopes = new Map(Object.entries(routes).map(([name, { scope }]) => [name, scope]));
    const lines = compatibility().own.map((name) => `| \`${name}\` | ${scopes.get(name)} |`);
    return ['| route | scope of the key |', '|---|---|', ...lines].join('\n');
  },
};

/** What the README has for a part, or undefined when its marks are missing. */
export function partOf(readme: string, name: string): string | undefined {
  return between(readme, name)?.[2];
}

/** The README with every part as it should be. Parts whose marks are missing are left out. */
export function withParts(readme: string): string {
  return Object.entries(parts).reduce((text, [name, make]) => {
    const [, before, , after] = between(text, name) ?? [];
    if (before === undefined || after === undefined) return text;
    return `${before}${make()}${after}`;
  }, readme);
}

function between(text: string, name: string): RegExpExecArray | null {
  return new RegExp(
    `^([\\s\\S]*<!-- ${name} -->\n)([\\s\\S]*?)(\n<!-- /${name} -->[\\s\\S]*)$`,
  ).exec(text);
}
