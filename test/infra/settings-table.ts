import { settingsFrom, settingsShape } from '../../infra/settings.ts';

/** The README's table of settings, between its marks `settings`. */
export function settingsTable(): string {
  const defaults: Readonly<Record<string, unknown>> = settingsFrom({});
  const rows = Object.entries(settingsShape.shape).map(([name, { description = '' }]) => {
    const preset = defaults[name];
    return `| \`reverie:${name}\` | ${preset === undefined ? '' : `\`${JSON.stringify(preset).replaceAll('"', '')}\``} | ${description} |`;
  });
  return ['| context | default | what it does |', '|---|---|---|', ...rows].join('\n');
}
