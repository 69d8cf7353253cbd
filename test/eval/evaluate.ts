import { rm } from 'node:fs/promises';
import Anthropic from '@anthropic-ai/sdk';
import { HostClock } from '../../infra/local/clock.ts';
import { startHost } from '../../infra/local/host.ts';
import { temporaryFolder } from '../command.ts';
import type { Processing } from '#shared/dreams/dream.ts';
import { dreamOf, readMemories, storeOf } from './dream.ts';
import { offlineRewriter } from './offline-rewriter.ts';
import { plant, type Planted } from './plant.ts';
import { sizesOf, type EvalResult, type Run } from './result.ts';
import { rewrite } from './rewrite.ts';
import type { Store } from './says.ts';
import { scoreOf } from './score.ts';
import { drawSet, type DrawOptions } from './set/draw.ts';
import type { FidelitySet } from './set/fidelity-set.ts';

export interface EvalOptions extends DrawOptions {
  /** The model that dreams. */
  readonly model: string;
  /** How it is asked; each of them is a dream of its own. @default - standard */
  readonly processings?: readonly Processing[];
  /** Without it the offline model dreams. */
  readonly access?: { readonly api_key: string; readonly base_url?: string };
  readonly progress?: (sentence: string) => void;
}

/** After every session of a set, before anything of it expires. */
const NOW = new Date('2026-11-20T20:00:00.000Z');

/**
 * Draw a set, plant it on a local host, and judge what is known afterwards: without a dream, after one
 * free rewrite, and after a dream.
 *
 * @throws Error when the model does not answer or the dream does not complete
 */
export async function evaluate(options: EvalOptions): Promise<EvalResult> {
  const { progress = () => undefined, processings = ['standard'], access, model } = options;
  const data_dir = await temporaryFolder('eval');
  const admin_key = 'reverie-eval';
  try {
    const set = drawSet(options);
    const host = await startHost({
      data_dir,
      admin_key,
      clock: new HostClock(NOW),
      is_warmed: false,
      ...(access === undefined ? {} : { model: access }),
      progress,
    });
    try {
      const client = new Anthropic({ baseURL: host.base_url, apiKey: admin_key });
      progress(`planting ${set.sessions.length} sessions and ${set.memories.length} memories …`);
      const planted = await plant(client, host, set);
      const before = storeOf(await readMemories(client, planted.memory_store_id));
      const material = { set, planted, before, progress };
      const runs: Run[] = [
        runOf(material, before, { name: 'no dream', cost_share: 0, seconds: 0 }),
        await rewriteRun(options, material),
      ];
      for (const processing of processings) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other: their time is told
        runs.push(await dreamRun(client, { model, processing }, material));
      }
      const { key } = set;
      const is_offline = access === undefined;
      return { seed: key.seed, model, is_offline, sizes: sizesOf(set), key, runs };
    } finally {
      await host.stop();
    }
  } finally {
    await rm(data_dir, { recursive: true, force: true });
  }
}

interface Material {
  readonly set: FidelitySet;
  readonly planted: Planted;
  readonly before: Store;
  readonly progress: (sentence: string) => void;
}

/** What is known of a run beside the store that it leaves. */
type Facts = Pick<Run, 'name' | 'cost_share' | 'seconds'> & Partial<Run>;

function runOf({ set, before }: Material, after: Store, facts: Facts): Run {
  const score = scoreOf(set.key, before, after);
  const memories = Object.fromEntries(after);
  return { score, memories, ledger_faults: [], remarks: [], ...facts };
}

async function rewriteRun({ access, model }: EvalOptions, material: Material): Promise<Run> {
  const { planted, before, progress } = material;
  progress('one free rewrite of the store …');
  const server = access === undefined ? await offlineRewriter() : undefined;
  const start_ms = performance.now();
  try {
    const baseURL = server?.url ?? access?.base_url;
    const client = new Anthropic({
      apiKey: access?.api_key ?? 'offline',
      ...(baseURL === undefined ? {} : { baseURL }),
    });
    const { after, cost_microcents, is_cut } = await rewrite(client, model, planted, before);
    const total = planted.sessions_cost_microcents;
    return runOf(material, after, {
      name: 'one rewrite',
      cost_share: cost_microcents === null ? null : cost_microcents / total,
      seconds: secondsSince(start_ms),
      remarks: is_cut ? ['The answer was cut before the store was whole.'] : [],
    });
  } finally {
    await server?.close();
  }
}

async function dreamRun(
  client: Anthropic,
  how: { readonly model: string; readonly processing: Processing },
  material: Material,
): Promise<Run> {
  const { planted, progress } = material;
  const name = how.processing === 'batch' ? 'dream by batches' : 'dream';
  progress(`${name} …`);
  const start_ms = performance.now();
  const { report, after, ledger_faults } = await dreamOf(client, planted, { ...how, progress });
  const counts = JSON.stringify(report.dropped_counts);
  const gate = report.gate === null ? 'not held' : report.gate.recommended ? 'passed' : 'failed';
  return runOf(material, after, {
    name,
    cost_share: report.cost_share,
    seconds: secondsSince(start_ms),
    ledger_faults,
    remarks: [
      `${report.operations.length} changes of ${report.candidates_count} lessons, dropped: ${counts}, skipped pieces: ${report.skipped.length}.`,
      `The gate: ${gate}.`,
    ],
  });
}

function secondsSince(start_ms: number): number {
  return Math.round((performance.now() - start_ms) / 100) / 10;
}
