import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { benchApi } from './api-benches.ts';
import { benchCost } from './cost-benches.ts';
import { benchDemo } from './demo-benches.ts';
import { benchFunctions } from './function-benches.ts';
import { notCounted } from './prices.ts';
import { startHostProcess, startModelProcess, type HostProcess } from './processes.ts';
import { passes, tableOf, type Result } from './result.ts';
import { benchLoad, benchRounds, benchTurns } from './turn-benches.ts';

type Bench = (client: Anthropic, host: HostProcess) => Promise<Result[]>;

/** Each with a fresh host, so that none pays for what another has left. */
const benches: Readonly<Record<string, Bench>> = {
  api: benchApi,
  turns: benchTurns,
  rounds: benchRounds,
  load: benchLoad,
  cost: benchCost,
  functions: async () => await benchFunctions(),
  demo: async () => await benchDemo(),
};

const help = `npm run bench -- [--only NAME]... [--json FILE]

Measures the local host with a model that answers at once, through the official SDK.

  --only NAME  one of ${Object.keys(benches).join(', ')}; may be repeated
  --json FILE  the results for a program, too
  --help       this text

The table goes to stdout, progress to stderr. The exit code is 1 when a target is missed.
Costs are us-east-1 list prices without ${notCounted}.`;

async function measure(name: string, bench: Bench): Promise<Result[]> {
  console.error(`${name} …`);
  const data_dir = await mkdtemp(join(tmpdir(), 'reverie-bench-'));
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
}

async function run(only: readonly string[], json: string | undefined): Promise<void> {
  const unknown = only.find((name) => !(name in benches));
  if (unknown !== undefined) throw new Misuse(`There is no bench '${unknown}'.`);
  const results: Result[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (only.length === 0 || only.includes(name)) results.push(...(await measure(name, bench)));
  }
  console.log(tableOf(results));
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model };
  const rows = results.map((result) => ({ ...result, pass: passes(result) }));
  if (json !== undefined)
    await writeFile(json, `${JSON.stringify({ machine, results: rows }, null, 2)}\n`);
  if (results.some((result) => passes(result) === false)) process.exitCode = 1;
}

/** A wrong argument: shown with the help, where anything else is shown whole. */
class Misuse extends Error {}

function args(): { only: string[]; json?: string | undefined; help: boolean } {
  try {
    const only = { type: 'string', multiple: true, default: [] as string[] } as const;
    const help = { type: 'boolean', default: false } as const;
    return parseArgs({ options: { only, json: { type: 'string' }, help } }).values;
  } catch (cause) {
    throw new Misuse(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

try {
  const { only, json, help: asked } = args();
  if (asked) console.log(help);
  else await run(only, json);
} catch (cause) {
  console.error(cause instanceof Misuse ? `${cause.message}\n\n${help}` : cause);
  process.exitCode = 2;
}
