import { createHash } from 'node:crypto';
import type { BetaManagedAgentsMemory as Memory } from '@anthropic-ai/sdk/resources/beta/memory-stores/memories';
import type { BetaManagedAgentsMemoryVersion as Version } from '@anthropic-ai/sdk/resources/beta/memory-stores/memory-versions';
import { everyOf, type PatientClient } from './patient-client.ts';

/** Whether what the memories of a store hold is what their newest versions say, each version once. */
export async function storeFaults(patient: PatientClient, store_id: string): Promise<string[]> {
  const versions = await versionsOf(patient, store_id);
  const memories = await memoriesOf(patient, store_id);
  const newest = new Map<string, Version>();
  // The newest come first.
  for (const version of versions.toReversed()) newest.set(version.memory_id, version);
  const seen = new Set(memories.map(({ id }) => id));
  const lost = [...newest].filter(
    ([id, { operation }]) => operation !== 'deleted' && !seen.has(id),
  );
  return [
    ...doubled(versions).map((id) => `version ${id} is listed twice`),
    ...doubled(memories).map((id) => `memory ${id} is listed twice`),
    ...lost.map(([id]) => `memory ${id} is lost`),
    ...memories.flatMap((memory) => memoryFaults(memory, newest.get(memory.id))),
  ];
}

function doubled(things: readonly { readonly id: string }[]): string[] {
  const ids = things.map(({ id }) => id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}

function memoryFaults(memory: Memory, version: Version | undefined): string[] {
  const { path, content, content_sha256, memory_version_id } = memory;
  const hash = createHash('sha256')
    .update(content ?? '')
    .digest('hex');
  const is_told = hash === content_sha256 && hash === version?.content_sha256;
  return [
    ...(memory_version_id === version?.id
      ? []
      : [`${path} is at ${memory_version_id}, its newest is ${version?.id}`]),
    ...(is_told ? [] : [`${path} does not hold what its newest version says`]),
  ];
}

async function memoriesOf(patient: PatientClient, store_id: string): Promise<Memory[]> {
  return await everyOf(async (page) => {
    const query = { view: 'full' as const, limit: 20, ...page };
    const got = await patient.do(async (client) =>
      client.beta.memoryStores.memories.list(store_id, query),
    );
    const data = got.data.filter((one): one is Memory => one.type === 'memory');
    return { data, next_page: got.next_page };
  });
}

async function versionsOf(patient: PatientClient, store_id: string): Promise<Version[]> {
  return await everyOf(async (page) =>
    patient.do(async (client) =>
      client.beta.memoryStores.memoryVersions.list(store_id, { limit: 100, ...page }),
    ),
  );
}
