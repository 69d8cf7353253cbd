/** One series of a table: a column of numbers, of one group where there are groups. */
interface Series {
  readonly file: string;
  readonly column: string;
  readonly group: string;
  readonly count: number;
  readonly first_at: string;
  readonly first: number;
  readonly last_at: string;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** How a table is written. */
export interface Dialect {
  readonly separator: string;
  readonly decimal: string;
  /** Between groups of three digits; none where it is empty. */
  readonly thousands: string;
}

/** What nobody has said otherwise of. */
export const usual_dialect: Dialect = { separator: ',', decimal: '.', thousands: '' };

/** A program for awk: the last column by the one in the middle, where there is one. */
const program = `
function number(x) { if (thousands != "") gsub("[" thousands "]", "", x); if (decimal != ".") sub(decimal, ".", x); return x + 0 }
NR == 1 { key = $1; value = $NF; next }
{ g = NF > 2 ? $2 : "all"; v = number($NF); if (!(g in n)) { order[++groups] = g; fa[g] = $1; f[g] = v; lo[g] = v; hi[g] = v }
  n[g]++; s[g] += v; la[g] = $1; l[g] = v; if (v < lo[g]) lo[g] = v; if (v > hi[g]) hi[g] = v }
END { for (i = 1; i <= groups; i++) { g = order[i];
  printf "%s\\t%s\\t%s\\t%d\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%.3f\\n", file, value, g, n[g], fa[g], f[g], la[g], l[g], lo[g], hi[g], s[g] / n[g] } }
`.trim();

/** The command that summarises each table, one series to a line. */
export function tableCommand(paths: readonly string[], dialect = usual_dialect): string {
  const each = paths.map((path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const separator = path.endsWith('.tsv') ? String.raw`\t` : dialect.separator;
    const signs = `-v decimal='${dialect.decimal}' -v thousands='${dialect.thousands}'`;
    return `awk -F'${separator}' ${signs} -v file=${quoted(name)} "$PROGRAM" ${quoted(path)}`;
  });
  return [`PROGRAM='${program}'`, ...each].join('\n');
}

/** One word for a shell, whatever stands in it. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export function parse(computed: string): Series[] {
  return computed.split('\n').flatMap((line) => {
    const [file, column, group, ...rest] = line.trim().split('\t');
    if (file === undefined || column === undefined || group === undefined) return [];
    if (rest.length !== 8) return [];
    const [count, first_at = '', first, last_at = '', last, min, max, mean] = rest;
    return [
      {
        file,
        column,
        group,
        count: Number(count),
        first_at,
        first: Number(first),
        last_at,
        last: Number(last),
        min: Number(min),
        max: Number(max),
        mean: Number(mean),
      },
    ];
  });
}

/** A sentence for each file: its series that has changed most against where it began. */
export function summarise(computed: string): string[] {
  const series = parse(computed);
  return [...new Set(series.map(({ file }) => file))].flatMap((file) => {
    const of_file = series.filter((each) => each.file === file);
    const [most] = of_file.toSorted((a, b) => change(b) - change(a));
    return most === undefined ? [] : [sentence(most)];
  });
}

function change({ first, last, min, max }: Series): number {
  return Math.abs(last - first) / Math.max(1e-9, max - min, Math.abs(first));
}

function sentence({ file, column, group, first, first_at, last, last_at }: Series): string {
  const what = group === 'all' ? `\`${column}\`` : `\`${column}\` of ${group}`;
  const direction = last > first ? 'rose' : 'fell';
  return `In ${file}, ${what} ${direction} from ${first} (${first_at}) to ${last} (${last_at}).`;
}

/** The deliverable, from nothing but what the command printed. */
export function report(asked: string, computed: string): string {
  const series = parse(computed);
  const names = [...new Set(series.map(({ file }) => file))];
  const held = names.map((name) => {
    const of_file = series.filter(({ file }) => file === name);
    const rows = of_file.reduce((sum, { count }) => sum + count, 0);
    return `- **${name}**: ${rows} rows of \`${of_file[0]?.column}\`, in ${of_file.length} series.`;
  });
  const rows = series.map(
    ({ file, group, count, first, last, min, max, mean }) =>
      `| ${[file, group, count, first, last, min, max, mean].join(' | ')} |`,
  );
  return `${[
    `# ${names.length} files, ${series.length} series`,
    `*Asked for: ${asked.split('\n')[0] ?? ''}*`,
    `## What the files hold\n\n${held.join('\n')}`,
    `## What changed most\n\n${summarise(computed)
      .map((each) => `- ${each}`)
      .join('\n')}`,
    `## All series\n\n| file | series | n | first | last | min | max | mean |\n|---|---|---|---|---|---|---|---|\n${rows.join('\n')}`,
    '## What the data cannot tell\n\nWhy any of it happened, and whether it goes on: these are records, not causes.',
  ].join('\n\n')}\n`;
}

/**
 * What `edit` needs to put the section on sources behind a report: each file with its rows, as the
 * report itself has them.
 *
 * @param read The report as `read` shows it, with the numbers of its lines.
 */
export function sources(read: string): { old_string: string; new_string: string } {
  const lines = read.split('\n').map((line) => line.replace(/^\s*\d+\t/, ''));
  const files = lines.flatMap((line) => {
    const found = /^- \*\*(.+)\*\*: (\d+ rows)/.exec(line);
    return found === null ? [] : [`- ${found[1]}: ${found[2]}`];
  });
  const last = lines.findLast((line) => line.trim() !== '') ?? '';
  return { old_string: last, new_string: `${last}\n\n## Sources\n\n${files.join('\n')}` };
}
