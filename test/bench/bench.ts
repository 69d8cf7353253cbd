import { readFile, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import Anthropic from '@anthropic-ai/sdk';
import { argsOf, command, Misuse, temporaryFolder } from '../command.ts';
import { withPart } from '../house/readme-parts.ts';
import { benchApi } from './api-benches.ts';
import { benchCost } from './cost-benches.ts';
import { benchDemo } from './demo-benches.ts';
import { benchDreams } from './dream-benches.ts';
import { benchFunctions } from './function-benches.ts';
import { benchMemory } from './memory-benches.ts';
import { benchOutcomes } from './outcome-benches.ts';
import { notCounted } from './prices.ts';
import { startHostProcess, startModelProcess, type HostProcess } from './processes.ts';
import { markdownOf, passes, tableOf, type Result } from './result.ts';
import { benchThreads } from './thread-benches.ts';
import { benchLoad, benchRounds, benchTurns } from './turn-benches.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));

type Bench = (client: Anthropic, host: HostProcess) => Promise<Result[]>;

/** Each with a fresh host, so that none pays for what another has left. */
const benches: Readonly<Record<string, () => Promise<Result[]>>> = {
  api: onHost(benchApi),
  turns: onHost(benchTurns),
  rounds: onHost(benchRounds),
  load: onHost(benchLoad),
  memory: onHost(benchMemory),
  outcomes: onHost(benchOutcomes),
  dreams: onHost(benchDreams),
  threads: onHost(benchThreads),
  cost: onHost(benchCost),
  functions: benchFunctions,
  demo: benchDemo,
};

const help = `npm run bench -- [--only NAME]... [--json FILE] [--readme]

Measures the local host with a model that answers at once, through the official SDK.

  --only NAME  one of ${Object.keys(benches).join(', ')}; may be repeated
  --json FILE  the results for a program, too
  --readme     the figures of all benches into README.md
  --help       this text

The table goes to stdout, progress to stderr. The exit code is 1 when a target is missed.
Costs are us-east-1 list prices without ${notCounted}.`;

function onHost(bench: Bench): () => Promise<Result[]> {
  return async () => {
    const data_dir = await temporaryFolder('bench');
    const model = await startModelProcess();
    try {
      const host = await startHostProcess(model.url, data_dir);
      const client = new Anthropic({ baseURL: host.base_url, apiKey: host.api_key, maxRetries: 0 });
      try {
        return await bench(client, host);
      } finally {
        await host.stop();
      }
    } finally {
      await model.stop();
      await rm(data_dir, { recursive: true, force: true });
    }
  };
}

async function run({ only, json, readme }: Args): Promise<void> {
  const unknown = only.find((name) => !(name in benches));
  if (unknown !== undefined) throw new Misuse(`There is no bench '${unknown}'.`);
  if (readme && only.length > 0) throw new Misuse('--readme needs all benches.');
  const results: Result[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (only.length > 0 && !only.includes(name)) continue;
    console.error(`${name} …`);
    results.push(...(await bench()));
  }
  console.log(tableOf(results));
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model };
  const rows = results.map((result) => ({ ...result, pass: passes(result) }));
  if (json !== undefined)
    await writeFile(json, `${JSON.stringify({ machine, results: rows }, null, 2)}\n`);
  if (readme) {
    const what = `On ${machine.cpus} cores of ${machine.cpu}, Node ${machine.node}, local host with a model that answers at once.`;
    const costs = `Costs are us-east-1 list prices without ${notCounted}.`;
    const part = `${what} ${costs}\n\n${markdownOf(results)}`;
    await writeFile(README, withPart(await readFile(README, 'utf8'), 'bench', part));
  }
  if (results.some((result) => passes(result) === false)) process.exitCode = 1;
}

interface Args {
  readonly only: readonly string[];
  readonly json?: string | undefined;
  readonly readme: boolean;
  readonly help: boolean;
}

function args(): Args {
  const only = { type: 'string', multiple: true, default: [] as string[] } as const;
  const flag = { type: 'boolean', default: false } as const;
  return argsOf({ only, json: { type: 'string' }, readme: flag, help: flag });
}

process.once('SIGINT', () => process.exit(130));
await command(help, async () => {
  const asked = args();
  if (asked.help) console.log(help);
  else await run(asked);
});
