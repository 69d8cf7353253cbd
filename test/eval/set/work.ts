import type { SetScene } from './fidelity-set.ts';
import type { Work } from './material.ts';
import type { Random } from './random.ts';
import { digits } from './wording.ts';

/** A table as a tool shows it: real work is mostly that. */
export function tableText({ columns }: Work, rows: number, random: Random): string {
  const names = Object.keys(columns);
  const lines = Array.from({ length: rows }, (_, n) =>
    names
      .map((name) => {
        const choices = columns[name] ?? [];
        const text = digits(random.pick(choices), random);
        return /[-/0-9]$/.test(text) && !text.includes('.') ? `${text}${n}` : text;
      })
      .join(';'),
  );
  return [names.join(';'), ...lines].join('\n');
}

/** What an agent does in any session: it looks at files and says how far it is. */
export function workScenes(work: Work, rows: number, random: Random): SetScene[] {
  const file = random.pick(work.files);
  const command = random.pick(['head -n', 'sed -n 1,', 'tail -n']);
  const said = random.pick([
    'I have an overview now and go on with the rows that stand out.',
    'The columns are as expected; I compare them with the other file next.',
    'That is most of it. Some rows are without a counterpart, I look at them one by one.',
  ]);
  return [
    {
      by: 'tool',
      name: 'bash',
      input: { command: `${command}${rows} ${file}` },
      result: tableText(work, rows, random),
      is_error: false,
    },
    { by: 'agent', text: said },
  ];
}
