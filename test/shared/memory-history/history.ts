import fc from 'fast-check';
import type { Call } from '#shared/core/call.ts';
import { Fault } from '#shared/core/fault.ts';
import type { MemoryOperation } from '#shared/memory/changes.ts';
import { readMemories, textOf } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { actor, workspace_id, type TestMemoryPorts } from '../memory/store.ts';

export const call: Call = {
  request_id: 'req_01JAAAAAAAAAAAAAAAAAAAAAAA',
  workspace_id,
  api_key_id: 'apikey_01JBBBBBBBBBBBBBBBBBBBBBBB',
  scopes: ['read', 'write'],
};

/** Few names, so that places are taken, freed, and turned from folders into memories and back. */
const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`);
const content = fc.constantFrom('', 'one\n', 'one\ntwo', 'größer 記憶 '.repeat(500));

/** `which` picks a live memory; where none is there, it is nothing. */
const deed = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), path, content }),
  fc.record({ kind: fc.constant('write' as const), which: fc.nat(9), path, content }),
  fc.record({ kind: fc.constant('rename' as const), which: fc.nat(9), path }),
  fc.record({ kind: fc.constant('swap' as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant('delete' as const), which: fc.nat(9) }),
);
export type Deed = typeof deed extends fc.Arbitrary<infer Value> ? Value : never;
export const deeds = fc.array(deed, { minLength: 1, maxLength: 14 });

/** `path id text` of all that a store holds. */
export type Held = readonly string[];

export async function heldBy(ports: TestMemoryPorts, store_id: string): Promise<Held> {
  const rows = await readMemories(ports.table, store_id);
  return await Promise.all(
    rows.map(async ({ sk, memory_id, content: text }) =>
      [sk, memory_id, await textOf(ports.blobs, text)].join(' '),
    ),
  );
}

/** A deed a second; @returns what the store held at the end of each of them, by its time. */
export async function live(
  ports: TestMemoryPorts,
  store_id: string,
  history: readonly Deed[],
): Promise<Map<string, Held>> {
  const moments = new Map([[tick(ports), await heldBy(ports, store_id)]]);
  for (const one of history) {
    tick(ports);
    const operations = await operationsOf(ports, store_id, one);
    await writeMemories(ports, { store_id, operations, actor }).catch((error: unknown) => {
      if (!(error instanceof Fault)) throw error;
    });
    moments.set(ports.clock.at.toISOString(), await heldBy(ports, store_id));
  }
  tick(ports);
  return moments;
}

export function tick(ports: TestMemoryPorts): string {
  ports.clock.at = new Date(ports.clock.at.getTime() + 1_000);
  return ports.clock.at.toISOString();
}

async function operationsOf(
  { table }: TestMemoryPorts,
  store_id: string,
  one: Deed,
): Promise<MemoryOperation[]> {
  if (one.kind === 'create') return [one];
  const memories = await readMemories(table, store_id);
  const before = memories[one.which % Math.max(memories.length, 1)];
  const other = memories[(one.which + 1) % Math.max(memories.length, 1)];
  if (before === undefined || other === undefined) return [];
  if (one.kind === 'delete') return [{ kind: 'delete', before }];
  if (one.kind === 'rename') return [{ kind: 'write', before, path: one.path }];
  if (one.kind === 'write')
    return [{ kind: 'write', before, path: one.path, content: one.content }];
  if (before === other) return [];
  return [
    { kind: 'write', before, path: other.sk },
    { kind: 'write', before: other, path: before.sk },
  ];
}
