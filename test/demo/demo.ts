import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { fileURLToPath } from 'node:url';
import type Anthropic from '@anthropic-ai/sdk';
import type {
  BetaManagedAgentsSession,
  BetaManagedAgentsStreamSessionEvents,
} from '@anthropic-ai/sdk/resources/beta/sessions';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { startHost } from '../../infra/local/host.ts';
import { modelOf } from '../../infra/local/model-of.ts';
import { Deliverables } from './deliverables.ts';
import { eventLine, textOf, type Colour } from './event-line.ts';
import { spreadsheetExports } from './exports.ts';
import { readInputs, type Input } from './inputs.ts';
import { learn } from './learn.ts';
import { lastLine, learningLines } from './learning-lines.ts';
import { teamLines, teamWork } from './team.ts';
import { verdictLines } from './verdict-lines.ts';
import { defaultRubric, defaultTask, generalRubric, work } from './work.ts';

const data = fileURLToPath(new URL('data', import.meta.url));
/** Below the folder of local state, which git ignores. */
const saved = '.reverie/demo';

const help = `npm run demo -- [folder] [--task TEXT] [--model ID]

Starts Reverie on this machine and has an agent work on the text files of a folder (without those of its
subfolders), by default on real records of electricity and temperature (test/demo/data).
With ANTHROPIC_API_KEY set, Claude does the work; without it, an offline model plays it by a script.

A grader that sees only the result judges it by a rubric, and the agent revises until it is met.
With the default records a second part follows: two sessions trip over the same quirk of their
files, a dream makes a playbook of it, and a third session reads that and gets it right at once.

  --task TEXT  what to do   --rubric TEXT  what success is, a Markdown list
  --team  a coordinator gives each file to a specialist on a thread of its own, without a grader
  --model ID  which Claude   --help  this text`;

const { positionals, values, model } = readArgs();

function readArgs() {
  try {
    const args = parseArgs({
      args: joined(process.argv.slice(2)),
      allowPositionals: true,
      options: {
        task: { type: 'string', default: defaultTask },
        rubric: { type: 'string' },
        model: { type: 'string', default: 'claude-sonnet-5-5' },
        team: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (args.positionals.length > 1) throw new Error('Give one folder, with all files in it.');
    if (args.values.team && args.values.rubric !== undefined) {
      throw new Error('--team has no grader that a --rubric would be for.');
    }
    return { ...args, ...modelOf(process.env) };
  } catch (cause) {
    console.error(`${cause instanceof Error ? cause.message : String(cause)}\n\n${help}`);
    process.exit(2);
  }
}

/** A text that begins with a dash, as a Markdown list does, is taken for an option where it stands alone. */
function joined(args: readonly string[]): string[] {
  const [first, second, ...rest] = args;
  if (first === undefined) return [];
  const takes_text = first === '--rubric' || first === '--task';
  if (takes_text && second !== undefined) return [`${first}=${second}`, ...joined(rest)];
  return [first, ...joined(args.slice(1))];
}

/** Colour only for a terminal that wants it: styleText looks at the stream and at NO_COLOR. */
function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(2);

function show(event: BetaManagedAgentsStreamSessionEvents, type_chars = 28): void {
  const time = `${seconds(performance.now()).padStart(6)} s  `;
  const room = (process.stdout.columns ?? 140) - time.length - type_chars - 2;
  const { type, text, colour } = eventLine(event, Math.max(20, room));
  console.log(
    `${paint('dim', time)}${paint(colour, `${type.padEnd(type_chars)}  ${text}`.trimEnd())}`,
  );
  if (event.type !== 'span.outcome_evaluation_end') return;
  for (const line of verdictLines(event.explanation)) {
    console.log(' '.repeat(time.length) + paint(line.colour, line.text));
  }
}

/** What success is, for the task that was set. */
function rubricOf({ rubric, task }: typeof values): string {
  return rubric ?? (task === defaultTask ? defaultRubric : generalRubric);
}

/** Save the deliverables where the person can open them. @returns their paths */
async function save(texts: ReadonlyMap<string, string>): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, text] of texts) {
    const path = join(saved, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    paths.push(path);
  }
  return paths;
}

function usageLine({ usage }: BetaManagedAgentsSession): string {
  const cents = Number(usage.list_cost?.amount ?? Number.NaN);
  const cost = Number.isNaN(cents) ? 'no list price' : `$${(cents / 100).toFixed(4)} at list price`;
  const cached = usage.cache_read_input_tokens ?? 0;
  const billed = model ? '' : ' (had it been Claude)';
  return `${usage.input_tokens ?? 0} tokens in, ${cached} read from cache, ${usage.output_tokens ?? 0} out, ${cost}${billed}`;
}

/** The session's events as they come; what they delivered; what they cost. */
async function demo(
  client: Anthropic,
  inputs: readonly Input[],
  signal: AbortSignal,
): Promise<boolean> {
  const deliverables = new Deliverables();
  let first_ms: number | undefined;
  let last: BetaManagedAgentsStreamSessionEvents | undefined;
  let answer = '';
  let error = 'The agent has written nothing to /mnt/session/outputs: see its last message.';
  const session = await (values.team ? teamWork : work)({
    client,
    inputs,
    task: values.task,
    rubric: rubricOf(values),
    model: values.model,
    signal,
    onEvent: (event) => {
      first_ms ??= performance.now();
      last = event;
      if (event.type === 'agent.message') answer = textOf(event.content);
      if (event.type === 'session.error') error = event.error.message;
      deliverables.see(event);
      show(event);
    },
  });
  // A stream that is stopped just ends.
  signal.throwIfAborted();
  const paths = await save(deliverables.texts);
  if (values.team) for (const line of await teamLines(client, session.id)) console.log(line);
  console.log(`\n${paint('bold', answer)}\n\n${usageLine(session)}`);
  console.log(
    `first event after ${seconds(first_ms ?? Number.NaN)} s, done after ${seconds(performance.now())} s`,
  );
  for (const path of paths) {
    const inside = `/mnt/session/outputs/${relative(saved, path)}`;
    console.log(`${paint('green', inside)} saved as ${paint('green', path)}`);
  }
  const ended = last?.type === 'session.status_idle' && last.stop_reason.type === 'end_turn';
  if (paths.length === 0) console.error(error);
  return ended && paths.length > 0;
}

const shown_types: ReadonlySet<string> = new Set([
  'agent.tool_use',
  'agent.message',
  'session.error',
  'span.outcome_evaluation_end',
]);

/** The second part: agents that learn from their sessions. @returns whether it came to its end */
async function learning(client: Anthropic, signal: AbortSignal): Promise<boolean> {
  console.log(`\n${paint('bold', 'Does it learn? Files as a German spreadsheet saves them.')}\n`);
  const learned = await learn({
    client,
    own: new ReverieClient(client),
    model: values.model,
    exports: spreadsheetExports(
      await readFile(join(data, 'global-temp.csv'), 'utf8'),
      await readFile(join(data, 'iowa-electricity.csv'), 'utf8'),
    ),
    signal,
    onEvent: (event) => {
      if (shown_types.has(event.type)) show(event);
    },
    say: (step) => {
      for (const { text, colour } of learningLines(step)) print(text, colour);
    },
  });
  const { text, colour } = lastLine(learned);
  console.log(`\n${paint(colour, text)}`);
  console.log(`all done after ${seconds(performance.now())} s`);
  if (model) return true;
  // A script that does not learn is a fault of ours; a model may know the quirk from the beginning.
  return learned.sessions.at(-1)?.results[0] === 'satisfied' && learned.changes.length > 1;
}

/** One line, cut where the terminal ends. */
function print(text: string, colour: Colour): void {
  const chars = Math.max(40, process.stdout.columns ?? 200);
  const points = Array.from(text);
  const line = points.length > chars ? `${points.slice(0, chars - 1).join('')}…` : text;
  console.log(paint(colour, line));
}

const progress = (sentence: string): void => console.log(paint('dim', sentence));

async function main(): Promise<number> {
  console.log(
    model
      ? `Claude (${values.model}) does the work.`
      : 'No ANTHROPIC_API_KEY: an offline model plays the work by a script.',
  );
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once('SIGINT', () => {
    console.error('Stopping …');
    stop();
  });
  process.once('SIGTERM', stop);
  // Whoever reads has seen enough (`| head`): the host ends in order, and nobody is told.
  process.stdout.on('error', stop);
  const data_dir = await mkdtemp(join(tmpdir(), 'reverie-demo-'));
  try {
    const inputs = await readInputs(positionals[0] ?? data);
    const admin_key = randomUUID();
    const starting = startHost({ data_dir, admin_key, ...(model && { model }), progress });
    // Loaded while the host waits for its parts.
    const sdk = import('@anthropic-ai/sdk');
    const host = await starting;
    try {
      const client = new (await sdk).Anthropic({ baseURL: host.base_url, apiKey: admin_key });
      if (!(await demo(client, inputs, stopped.signal))) return 1;
      const is_own = values.team || positionals.length > 0 || values.task !== defaultTask;
      return is_own || (await learning(client, stopped.signal)) ? 0 : 1;
    } finally {
      await host.stop();
    }
  } catch (cause) {
    if (stopped.signal.aborted) {
      return 130;
    }
    console.error(cause instanceof Error ? cause.message : cause);
    return 1;
  } finally {
    await rm(data_dir, { recursive: true, force: true });
  }
}

if (values.help) console.log(help);
else process.exitCode = await main();
