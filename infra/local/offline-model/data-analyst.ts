import type { ContentBlock } from '@anthropic-ai/sdk/resources/messages';
import type { Conversation, Done } from './conversation.ts';
import { dialectSaid, dialectSeen, sayDialect } from './dialects.ts';
import { report, sources, summarise, tableCommand, usual_dialect, type Dialect } from './report.ts';

const uploads = '/mnt/session/uploads';
const output = '/mnt/session/outputs/report.md';

type Content = ContentBlock[];

interface Step {
  /** Whether this step is still to be done. */
  due(conversation: Conversation): boolean;
  answer(conversation: Conversation): Content;
}

/** What an analyst does, in order. Each step's calls are real; later ones build on their results. */
const steps: readonly Step[] = [
  {
    due: ({ system, done }) => unread(system, done) !== undefined,
    answer: ({ system, done }) => [
      said('A playbook of earlier sessions fits this task. I read it before I begin.'),
      call('read', { file_path: unread(system, done) }, 'playbook'),
    ],
  },
  {
    due: ({ done, documents }) => documents.size > 0 && made(done, 'write') === 0,
    answer: ({ documents }) => [
      said(`I save the ${documents.size} attached files so that I can compute with them.`),
      ...[...documents].map(([name, content]) =>
        call('write', { file_path: `${uploads}/${name}`, content }, name),
      ),
    ],
  },
  {
    due: ({ done }) => made(done, 'glob') === 0,
    answer: () => [
      said('Now I look at what there is.'),
      call('glob', { pattern: '**/*', path: uploads }),
    ],
  },
  {
    due: ({ done }) => !done.some(isHead) && files(done).length > 0,
    answer: ({ done }) => [
      said('I read the beginning of each file to learn its columns.'),
      ...files(done).map((path) => call('read', { file_path: path, view_range: [1, 4] }, path)),
    ],
  },
  {
    due: ({ done }) => made(done, 'bash') === 0 && tables(done).length > 0,
    answer: ({ done }) => [
      said(
        'The columns are clear. I compute first, last, least, greatest and mean of each series.',
      ),
      call('bash', { command: tableCommand(tables(done), learnt(done)) }),
    ],
  },
  {
    due: ({ done }) => made(done, 'bash') === 1 && !done.some(isReport),
    answer: ({ done, asked }) => [
      said('The numbers stand. I write the report from them.'),
      call('write', { file_path: output, content: report(taskOf(asked), computed(done)) }),
    ],
  },
  {
    due: ({ done }) => done.some(isReport) && made(done, 'bash') === 1,
    answer: () => [
      said('I check what was written.'),
      call('bash', { command: `wc -lw ${output} && head -n 3 ${output}` }, 'check'),
    ],
  },
];

/** What the analyst does when a section is missing: it adds what it left out. */
const addition: readonly Step[] = [
  {
    due: ({ done }) => made(done, 'read') === 0,
    answer: ({ asked }) => [
      said(`The grader misses something: ${missed(asked)} I read what I have written.`),
      call('read', { file_path: output }, 'revise'),
    ],
  },
  {
    due: ({ done }) => made(done, 'edit') === 0,
    answer: ({ done }) => [
      said('I add where the numbers are from.'),
      call('edit', { file_path: output, ...sources(done[0]?.result ?? '') }, 'revise'),
    ],
  },
];

/** What it does when its numbers cannot be right: it looks at what it has read, and computes again. */
const correction: readonly Step[] = [
  {
    due: ({ done }) => made(done, 'bash') === 0,
    answer: () => [
      said('These numbers cannot be right. I look at the raw lines.'),
      call('bash', { command: `head -n 3 ${uploads}/*.csv; ls ${uploads}/*.csv` }, 'raw'),
    ],
  },
  {
    due: ({ done }) => made(done, 'bash') === 1,
    answer: ({ done }) => [
      said(
        `This CSV file is an export of a German spreadsheet. ${sayDialect(seen(done))} A command that splits at commas reads wrong numbers from it and gives no error. I compute again by these signs.`,
      ),
      call('bash', { command: tableCommand(listed(done), seen(done)) }, 'again'),
    ],
  },
  {
    due: ({ done }) => made(done, 'write') === 0,
    answer: ({ done }) => [
      said('Now the numbers hold. I write the report anew.'),
      call('write', {
        file_path: output,
        content: report('the same, with numbers that hold', done.at(-1)?.result ?? ''),
      }),
    ],
  },
];

/** A verdict that can still be answered to, by the words that the platform puts around it. */
const isRevision = ({ asked }: Conversation): boolean =>
  asked.includes('<verdict>') && asked.includes('Revise them');

/** The first thing that a verdict finds missing. */
function missed(asked: string): string {
  return /^- (?:Not met|Cannot tell): \S+ (".*?")\./m.exec(asked)?.[1] ?? '';
}

/** The task of an outcome, or the words of a message as they are. */
function taskOf(asked: string): string {
  return /<outcome>\n([\s\S]*?)\n<\/outcome>/.exec(asked)?.[1] ?? asked;
}

/** Plays the analyst of the demo: for a system prompt that asks for one, with the tools for it. */
export const dataAnalyst = {
  wants: ({ system, tools }: Conversation): boolean =>
    /\bdata analyst\b/i.test(system) &&
    ['bash', 'write', 'read', 'glob'].every((t) => tools.has(t)),
  answer: (conversation: Conversation): Content => {
    const failed = conversation.done.find((each) => each.failed);
    if (failed !== undefined) {
      return [said(`The tool ${failed.name} failed, and my script ends here: ${failed.result}`)];
    }
    const { asked, done } = conversation;
    if (asked.includes('<verdict>')) {
      const revision = missed(asked).includes(' section ') ? addition : correction;
      const next = isRevision(conversation)
        ? revision.find((step) => step.due(conversation))
        : undefined;
      return next?.answer(conversation) ?? [said(`The report is at ${output}, revised.`)];
    }
    const next = steps.find((step) => step.due(conversation));
    return next?.answer(conversation) ?? [said(ending(done))];
  },
};

function ending(done: readonly Done[]): string {
  if (!done.some(isReport)) return `There is no table under ${uploads} that I could compute with.`;
  const [first] = summarise(computed(done));
  const check = done.at(-1)?.result.trim().split('\n')[0] ?? '';
  return `The report is at ${output} (${check.trim()}). ${first ?? ''} I am the offline model: the numbers are computed, the words are a script's.`;
}

function made(done: readonly Done[], name: string): number {
  return done.filter((each) => each.name === name).length;
}

/** The beginning of a table, and no playbook. */
function isHead({ name, input }: Done): boolean {
  return name === 'read' && pathIn(input).startsWith(uploads);
}

function pathIn(input: unknown): string {
  const { file_path } = input as { readonly file_path?: unknown };
  return typeof file_path === 'string' ? file_path : '';
}

/** The first playbook that the prompt offers, unless it has been read. */
function unread(system: string, done: readonly Done[]): string | undefined {
  const inside = /<playbooks>\n([^]*?)\n<\/playbooks>/.exec(system)?.[1] ?? '';
  const line = inside.split('\n').find((each) => each.startsWith('{'));
  if (line === undefined) return undefined;
  const { path } = JSON.parse(line) as { readonly path: string };
  return done.some(({ input }) => pathIn(input) === path) ? undefined : path;
}

/** How the tables are written: by what was read of earlier sessions, and else as is usual. */
function learnt(done: readonly Done[]): Dialect {
  const texts = done.filter((each) => each.name === 'read' && !isHead(each));
  const said_so = texts.map(({ result }) => dialectSaid(result));
  return said_so.find((dialect) => dialect !== undefined) ?? usual_dialect;
}

/** How they are written by their own first lines; then come their paths. */
function seen(done: readonly Done[]): Dialect {
  return dialectSeen(done[0]?.result ?? '');
}

function listed(done: readonly Done[]): string[] {
  const lines = (done[0]?.result ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith(uploads) && line.endsWith('.csv'));
}

function isReport({ name, input }: Done): boolean {
  return name === 'write' && JSON.stringify(input).includes(output);
}

/** The paths that glob found, absolute. */
function files(done: readonly Done[]): string[] {
  const found = done.find(({ name }) => name === 'glob')?.result ?? '';
  const lines = found.split('\n').map((line) => line.trim());
  const paths = lines.filter((line) => /\.\w+$/.test(line));
  return paths.map((path) => (path.startsWith('/') ? path : `${uploads}/${path}`)).toSorted();
}

function tables(done: readonly Done[]): string[] {
  return files(done).filter((path) => /\.[ct]sv$/.test(path));
}

function computed(done: readonly Done[]): string {
  return done.find(({ name }) => name === 'bash')?.result ?? '';
}

export function said(text: string): ContentBlock {
  return { type: 'text', text, citations: null };
}

let calls = 0;

/** Ids differ between calls, as the API's do; nothing else about them matters. */
export function call(name: string, input: object, seed = ''): ContentBlock {
  calls += 1;
  const id = `toolu_offline${calls}${seed.replaceAll(/\W/g, '').slice(-12)}`;
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}
