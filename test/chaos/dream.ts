import { setTimeout as sleep } from 'node:timers/promises';
import type { PatientClient } from './patient-client.ts';
import { memoriesOf } from './record.ts';
import { storeFaults } from './store.ts';

const KEPT = 'What nobody speaks of stays.\n';
const LOOK_MS = 200;
const LOOKS_MAX = 900;

/** Dream of a session into a copy of a store of its own, and judge what came of it. */
export async function dreamFaults(patient: PatientClient, session_id: string): Promise<string[]> {
  const store = await patient.do(async (client, once) =>
    client.beta.memoryStores.create({ name: 'Dreamt' }, once),
  );
  await patient.do(async (client, once) =>
    client.beta.memoryStores.memories.create(store.id, { path: '/kept.md', content: KEPT }, once),
  );
  const { id } = await patient.do(async (client, once) =>
    client.beta.dreams.create(
      {
        inputs: [
          { type: 'memory_store', memory_store_id: store.id },
          { type: 'sessions', session_ids: [session_id] },
        ],
        model: 'claude-sonnet-5-5',
      },
      once,
    ),
  );
  for (let look = 0; look < LOOKS_MAX; look++) {
    const dream = await patient.do(async (client) => client.beta.dreams.retrieve(id));
    if (dream.status === 'completed') {
      const output = dream.outputs[0]?.memory_store_id ?? '';
      return [...(await inputFaults(patient, store.id)), ...(await outputFaults(patient, output))];
    }
    if (dream.status !== 'pending' && dream.status !== 'running') {
      return [`dream ${id} is ${dream.status}: ${JSON.stringify(dream.error)}`];
    }
    await sleep(LOOK_MS);
  }
  return [`dream ${id} has no end`];
}

async function inputFaults(patient: PatientClient, store_id: string): Promise<string[]> {
  const texts = await memoriesOf(patient, store_id);
  const is_same = texts.size === 1 && texts.get('/kept.md') === KEPT;
  return is_same ? [] : [`the input of the dream was changed: ${[...texts.keys()].join(' ')}`];
}

async function outputFaults(patient: PatientClient, store_id: string): Promise<string[]> {
  const texts = await memoriesOf(patient, store_id);
  const lost = texts.get('/kept.md') === KEPT ? [] : ['the dream has lost a memory'];
  const learnt = [...texts.values()].filter((text) => text.includes('turn it')).length;
  return [
    ...(await storeFaults(patient, store_id)),
    ...lost,
    ...(learnt > 0 ? [] : ['the dream has learnt nothing']),
  ];
}
