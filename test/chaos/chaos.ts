/** `npm run chaos`: sessions with all features while everything around them fails. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runChaos, type ChaosResult } from './run.ts';

const help = `npm run chaos -- [--sessions N] [--seed N] [--at-once N] [--json FILE] [--keep] [--calm]

Plays sessions through the official SDK on a local host (tools, questions, custom tools, memory,
outcomes, teams, interrupts, budgets, now and then a dream) while function workers, the engine of the
table and the whole host are killed at random, 5 % of all calls to AWS and 10 % of all model requests
fail, services are away and the clock jumps. Each session must come to rest, and its log must prove that
nothing was lost, doubled or left open. The exit code is 1 when one fell, 2 when it could not run.

  --sessions N  sessions (200)
  --seed N      repeats a run's plan of faults, as far as timing allows; drawn and printed without it
  --at-once N   sessions at the same time (8)
  --json FILE   the result for a program, too
  --keep        keep the data and the logs of the host, and say where they are
  --calm        without any fault: what the sessions are on a good day`;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    'at-once': { type: 'string', default: '8' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(help);
else
  await main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 2;
  });

function numberOf(name: 'sessions' | 'seed' | 'at-once'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`--${name} must be a whole number, and not '${values[name]}'.`);
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  process.once('SIGINT', () => {
    console.error('no further sessions; those that have begun are judged (again to end at once)');
    stopping.abort();
    process.once('SIGINT', () => process.exit(130));
  });
  const seed = numberOf('seed');
  console.log(`seed ${seed}`);
  const result = await runChaos({
    sessions: numberOf('sessions'),
    seed,
    at_once: Math.max(1, numberOf('at-once')),
    keep: values.keep,
    ...(values.calm ? { share: 0, disasters: false } : {}),
    progress: (sentence) => console.error(sentence),
    signal: stopping.signal,
  });
  show(result);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  process.exitCode = result.fallen.length === 0 ? 0 : 1;
}

function show(result: ChaosResult): void {
  const { sessions, dreams, events, seconds, fallen } = result;
  console.log(`${sessions} sessions, ${dreams} dreams, ${events} events in ${seconds} s`);
  for (const [name, counts] of Object.entries({
    disasters: result.disasters,
    'faults of AWS': result.aws_faults,
    'faults of the model': result.model_faults,
    'asked again': result.repeats,
  })) {
    const words = Object.entries(counts).map(([what, n]) => `${what} ${n}`);
    console.log(`${name}: ${words.join(', ')}`);
  }
  console.log(`${fallen.length} fell`);
  for (const { session_id, story, faults } of fallen) {
    console.log(
      `  ${session_id} ${JSON.stringify(story?.acts ?? [])}\n    ${faults.join('\n    ')}`,
    );
  }
  if (values.keep) console.log(`data in ${result.data_dir}`);
}
