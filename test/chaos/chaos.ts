/** `npm run chaos`: sessions with all features while everything around them fails. */
import { writeFile } from 'node:fs/promises';
import { argsOf, command, stoppedBy, wholeNumber } from '../command.ts';
import { runChaos, type ChaosResult } from './run.ts';

const help = `npm run chaos -- [--sessions N] [--seed N] [--at-once N] [--erratic PERCENT]
                     [--json FILE] [--keep] [--calm]

Plays sessions through the official SDK on a local host (tools, questions, custom tools, memory,
outcomes, teams, interrupts, budgets, now and then a dream), a quarter of them as an erratic client
that sends anything at any time, also at once, while function workers, the engine of the
table and the whole host are killed at random, 5 % of all calls to AWS and 10 % of all model requests
fail, services are away and the clock jumps. Each session must come to rest, and its log must prove that
nothing was lost, doubled or left open. The exit code is 1 when one fell, 2 when it could not run.

  --sessions N  sessions (200)
  --seed N      repeats a run's plan of faults, as far as timing allows; drawn and printed without it
  --at-once N   sessions at the same time (8)
  --erratic PERCENT
                how many of the sessions have an erratic client (25)
  --json FILE   the result for a program, too
  --keep        keep the data and the logs of the host, and say where they are
  --calm        without any fault: what the sessions are on a good day`;

await command(help, async () => {
  const values = argsOf({
    sessions: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    'at-once': { type: 'string', default: '8' },
    erratic: { type: 'string', default: '25' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return console.log(help);
  const { keep, json } = values;
  const seed = wholeNumber('seed', values.seed);
  const sessions = wholeNumber('sessions', values.sessions);
  const at_once = wholeNumber('at-once', values['at-once'], [1, 1_000]);
  const erratic = wholeNumber('erratic', values.erratic, [0, 100]) / 100;
  console.log(`seed ${seed}`);
  const result = await runChaos({
    sessions,
    seed,
    at_once,
    erratic,
    keep,
    ...(values.calm ? { share: 0, disasters: false } : {}),
    progress: (sentence) => console.error(sentence),
    signal: stoppedBy('no further sessions; those that have begun are judged'),
  });
  show(result);
  if (keep) console.log(`data in ${result.data_dir}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.fallen.length === 0 ? 0 : 1;
});

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
      `  ${session_id} ${story === undefined ? '' : story.acts.join(', ') || 'erratic'}\n    ${faults.join('\n    ')}`,
    );
  }
}
