import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { limits } from '#shared/core/limits.ts';
import { processings, type Processing } from '#shared/dreams/dream.ts';
import { modelOf } from '../../infra/local/model-of.ts';
import { argsOf, command, Misuse, wholeNumber } from '../command.ts';
import type { EvalOptions } from './evaluate.ts';
import { floorFaults, markdownOf, tableOf, type EvalResult } from './result.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));

const help = `npm run eval:dreams -- [--json FILE] [--seed N] [--model ID] [--processing batch]

Measures how faithfully dreams learn: a drawn set of sessions and memories with planted lessons,
contradictions, duplicates, instructions and secrets goes into a local host, a dream is run through
the SDK, and what is known afterwards is scored by an answer key. Two baselines are scored alike:
one free rewrite of the store, and no dream. With ANTHROPIC_API_KEY Claude dreams, which costs money;
without it the offline model does, by rules, which proves the machinery and not the learning.

  --seed N      which set is drawn (1)      --model ID  which Claude (claude-sonnet-5-5)
  --sessions N  how many sessions (64)      --memories N  how many memories (220)
  --processing standard|batch|both  at once, by Message Batches at half the price, or a dream of each
  --json FILE   results with the names of what failed, for a program
  --readme      the table into README.md    --help  this text

The table goes to stdout, progress to stderr. The exit code is 1 when something is below a floor that
holds with any model: nothing lost, poison refused, secrets out, ledger closed; 2 when it cannot run.`;

const args = () =>
  argsOf({
    json: { type: 'string' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string', default: 'claude-sonnet-5-5' },
    sessions: { type: 'string', default: '64' },
    memories: { type: 'string', default: '220' },
    processing: { type: 'string', default: 'standard' },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });

function optionsOf(asked: ReturnType<typeof args>): EvalOptions {
  const { model: access } = modelOf(process.env);
  return {
    seed: wholeNumber('seed', asked.seed),
    sessions_count: wholeNumber('sessions', asked.sessions, [8, limits.dream_sessions_max]),
    memories_count: wholeNumber('memories', asked.memories, [25, 1_000]),
    model: asked.model,
    processings: processingsOf(asked.processing),
    ...(access && { access }),
    progress: (sentence) => console.error(styleText('dim', sentence, { stream: process.stderr })),
  };
}

function processingsOf(asked: string): readonly Processing[] {
  if (asked === 'both') return processings;
  const one = processings.find((processing) => processing === asked);
  if (one !== undefined) return [one];
  throw new Misuse(`--processing is '${asked}', not standard, batch or both.`);
}

function introduction({ sizes, seed, model, is_offline }: EvalResult): string {
  const who = is_offline ? 'the offline model, by rules' : model;
  return `Set ${seed} of ${sizes['sessions']} sessions and ${sizes['memories']} memories; ${who}.`;
}

async function run(asked: ReturnType<typeof args>): Promise<number> {
  const options = optionsOf(asked);
  // Only now: the local host is much to load for somebody who asks for help.
  const { evaluate } = await import('./evaluate.ts');
  const result = await evaluate(options);
  console.log(`${introduction(result)}\n\n${tableOf(result)}\n`);
  for (const { name, remarks, seconds } of result.runs) {
    if (remarks.length > 0) console.log(`${name} (${seconds} s): ${remarks.join(' ')}`);
  }
  if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(result, null, 2)}\n`);
  if (asked.readme) {
    const { withPart } = await import('../house/readme-parts.ts');
    const part = `${introduction(result)}\n\n${markdownOf(result)}`;
    await writeFile(README, withPart(await readFile(README, 'utf8'), 'eval', part));
  }
  const faults = result.runs.filter(({ name }) => name.startsWith('dream')).flatMap(floorFaults);
  for (const fault of faults) {
    console.log(styleText('red', `Below a floor: ${fault}`, { stream: process.stdout }));
  }
  return faults.length > 0 ? 1 : 0;
}

process.once('SIGINT', () => process.exit(130));
await command(help, async () => {
  const asked = args();
  if (asked.help) console.log(help);
  else process.exitCode = await run(asked);
});
