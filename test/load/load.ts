/** `npm run load`: many sessions at once, and much that is stored. */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { passes, tableOf } from '../bench/result.ts';
import { argsOf, command, stoppedBy, temporaryFolder, wholeNumber } from '../command.ts';
import { load, type LoadOptions } from './run.ts';

const help = `npm run load -- [--sessions N] [--turns N] [--tools N] [--streams N] [--minutes N]
                    [--stored-sessions N,N,…] [--stored-events N,N,…] [--json FILE]

Sessions at once take turns with tools on a local host, while streams are read; each stream must give
what the list gives. Then the same operations with more and more stored sessions, and with more and more
events in one session. The table goes to stdout, progress to stderr. The exit code is 1 when something
was lost, doubled or out of order, 2 when it could not run. Ctrl-C ends it after the crowd that is there.

  --sessions N           sessions at the same time (200)
  --turns N              turns of each (10)
  --tools N              calls of each turn (3)
  --streams N            streams open on each of 8 sessions (25)
  --minutes N            crowds follow each other for so long (10)
  --stored-sessions N,…  stored sessions at which is measured (10,100,10000,100000)
  --stored-events N,…    events of one session at which is measured (10,1000,20000)
  --json FILE            the results for a program, too`;

const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;

const args = () =>
  argsOf({
    sessions: text('200'),
    turns: text('10'),
    tools: text('3'),
    streams: text('25'),
    minutes: text('10'),
    'stored-sessions': text('10,100,10000,100000'),
    'stored-events': text('10,1000,20000'),
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  });

type Args = ReturnType<typeof args>;

function numbers(name: 'stored-sessions' | 'stored-events', values: Args): number[] {
  return values[name]
    .split(',')
    .filter(Boolean)
    .map((each) => wholeNumber(name, each));
}

function optionsOf(values: Args): Omit<LoadOptions, 'signal'> {
  const one = (name: 'sessions' | 'turns' | 'tools' | 'streams' | 'minutes'): number =>
    wholeNumber(name, values[name]);
  return {
    sessions: one('sessions'),
    turns: one('turns'),
    tools: one('tools'),
    streams: one('streams'),
    minutes: one('minutes'),
    stored_sessions: numbers('stored-sessions', values),
    stored_events: numbers('stored-events', values),
    progress: (sentence) => console.error(sentence),
  };
}

await command(help, async () => {
  const values = args();
  if (values.help) return console.log(help);
  const options = optionsOf(values);
  const signal = stoppedBy('ends after the crowd that is there');
  const data_dir = await temporaryFolder('load');
  const results = await load(data_dir, { ...options, signal });
  console.log(tableOf(results));
  const machine = {
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    load_average: loadavg(),
    at: new Date().toISOString(),
  };
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  }
  process.exitCode = results.some((result) => passes(result) === false) ? 1 : 0;
});
