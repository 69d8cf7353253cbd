import type Anthropic from '@anthropic-ai/sdk';
import type { BetaDream } from '@anthropic-ai/sdk/resources/beta/dreams';
import type { BetaManagedAgentsMemory } from '@anthropic-ai/sdk/resources/beta/memory-stores/memories';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { limits } from '#shared/core/limits.ts';
import { checkLedger } from '#shared/dreams/check-ledger.ts';
import type { Processing } from '#shared/dreams/dream.ts';
import type { DreamReport } from '#shared/dreams/report.ts';
import type { Planted } from './plant.ts';
import type { Store } from './says.ts';

export interface Dreamt {
  readonly dream: BetaDream;
  readonly report: DreamReport;
  readonly after: Store;
  /** Where its account does not close, as sentences. */
  readonly ledger_faults: readonly string[];
}

export interface DreamOptions {
  readonly model: string;
  /** By a schedule's run, as every dream by batches; else by a request. @default standard */
  readonly processing?: Processing;
  /** Called about every two seconds with what the dream does. @default - nobody */
  readonly progress?: (sentence: string) => void;
  /** Called between two looks: a test lets the platform's waits pass. @default - nobody */
  readonly between?: () => Promise<void>;
  readonly look_ms?: number;
}

const PROGRESS_MS = 2_000;

/**
 * Dream of what was planted, as a client would, and read what came of it.
 *
 * @throws Error when the dream does not complete, with its error
 */
export async function dreamOf(
  client: Anthropic,
  planted: Planted,
  options: DreamOptions,
): Promise<Dreamt> {
  const { memory_store_id } = planted;
  const id = await beginnings[options.processing ?? 'standard'](client, planted, options.model);
  const dream = await untilEnded(client, id, options);
  const [output] = dream.outputs;
  if (dream.status !== 'completed' || output === undefined) {
    const { type = 'no error', message = '' } = dream.error ?? {};
    throw new Error(`The dream ${id} ended as ${dream.status}: ${type} ${message}`);
  }
  const report = await new ReverieClient(client).dreams.report(id);
  const after = storeOf(await readMemories(client, output.memory_store_id));
  const memories = (await readMemories(client, memory_store_id)).map((memory) => ({
    memory_id: memory.id,
    memory_version_id: memory.memory_version_id,
    path: memory.path,
    text: memory.content ?? '',
    updated_at: memory.updated_at,
    by_hand: false,
  }));
  const ledger_faults = checkLedger({ memory_store_id, memories }, after, report.ledger);
  return { dream, report, after, ledger_faults };
}

async function untilEnded(
  client: Anthropic,
  id: string,
  { progress, between, look_ms = 250 }: DreamOptions,
): Promise<BetaDream> {
  let dream = await client.beta.dreams.retrieve(id);
  let told_ms = performance.now();
  while (dream.status === 'pending' || dream.status === 'running') {
    await sleep(look_ms);
    await between?.();
    dream = await client.beta.dreams.retrieve(id);
    if (performance.now() - told_ms < PROGRESS_MS) continue;
    told_ms = performance.now();
    const { input_tokens, output_tokens } = dream.usage;
    progress?.(`the dream is ${dream.status}: ${input_tokens} tokens in, ${output_tokens} out`);
  }
  return dream;
}

type Begin = (client: Anthropic, planted: Planted, model: string) => Promise<string>;

const beginnings: Readonly<Record<Processing, Begin>> = {
  standard: async (client, { memory_store_id, session_ids }, model) => {
    const { id } = await client.beta.dreams.create({
      inputs: [
        { type: 'memory_store', memory_store_id },
        { type: 'sessions', session_ids: [...session_ids] },
      ],
      model,
    });
    return id;
  },
  batch: async (client, { memory_store_id, session_ids }, model) => {
    const { dreamSchedules } = new ReverieClient(client);
    const { id } = await dreamSchedules.create({
      name: 'By batches',
      schedule: { type: 'cron', expression: '0 3 1 1 *', timezone: 'UTC' },
      memory_store_id,
      model,
      processing: 'batch',
      sessions: { max_age_days: limits.schedule_age_days_max, only_new: false },
    });
    const { dream_id, sessions_count } = await dreamSchedules.run(id);
    if (dream_id === null || sessions_count !== session_ids.length) {
      throw new Error(`The schedule took ${sessions_count} of ${session_ids.length} sessions.`);
    }
    return dream_id;
  },
};

/** Every memory of a store, with its text. */
export async function readMemories(
  client: Anthropic,
  memory_store_id: string,
): Promise<BetaManagedAgentsMemory[]> {
  const memories: BetaManagedAgentsMemory[] = [];
  const list = client.beta.memoryStores.memories.list(memory_store_id, { view: 'full' });
  for await (const item of list) if (item.type === 'memory') memories.push(item);
  return memories;
}

export function storeOf(memories: readonly BetaManagedAgentsMemory[]): Store {
  return new Map(memories.map(({ path, content }) => [path, content ?? '']));
}
