import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '../core/backoff.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { merge, type Intent, type MemoryConflict, type Step } from '../memory/merge.ts';
import type { MemoryPorts } from '../memory/memory-ports.ts';
import type { StoreSnapshot, StoreSnapshots } from '../memory/snapshots.ts';
import { splitOperations } from '../memory/split.ts';
import { writeMemories } from '../memory/write-memories.ts';
import type { MountedStore, NotKept } from './memory-intents.ts';
import type { ToolCall } from './tools.ts';

export interface StorePorts {
  readonly memory: MemoryPorts;
  readonly snapshots: StoreSnapshots;
}

/** What one call wants of one store. */
export interface StoreJob {
  readonly call: ToolCall;
  readonly store: MountedStore;
  readonly intents: readonly Intent[];
  /** `refuse`: nothing is written. `beside`: ours goes to a free name. */
  readonly on_conflict: 'refuse' | 'beside';
}

/** What came of it, by the paths that the session knows. */
export interface StoreResult {
  readonly conflicts: readonly MemoryConflict[];
  readonly not_kept: readonly NotKept[];
}

/**
 * Put what a call did below a mount into its store, in as few transactions as hold it, each under
 * the condition that the memories are as the call saw them or as the merge has found them since.
 *
 * Dies between two transactions: the call has no recorded result and is never run again, so nothing
 * is written twice; what is there are whole memories, each as it was or as it shall be. Reply lost:
 * the memories hold already what they shall, and the next round finds nothing to do.
 */
export async function writeIntents(ports: StorePorts, job: StoreJob): Promise<StoreResult> {
  const writing = new Writing(ports, job);
  for (let attempt = 1; attempt <= limits.file_attempts_max; attempt++) {
    if (await writing.round()) return writing.result();
    await sleep(backoffMs(Math.min(attempt, 4)));
    await writing.look();
  }
  writing.giveUp([...writing.left], 'others are changing it all the time.');
  return writing.result();
}

class Writing {
  readonly left: Set<Intent>;
  readonly #ports: StorePorts;
  readonly #job: StoreJob;
  readonly #conflicts = new Map<string, MemoryConflict>();
  readonly #not_kept: NotKept[] = [];
  #now: StoreSnapshot;

  constructor(ports: StorePorts, job: StoreJob) {
    this.#ports = ports;
    this.#job = job;
    this.#now = job.store.seen;
    this.left = new Set(job.intents);
  }

  /** @returns whether nothing is left to do; else the store must be looked at again */
  async round(): Promise<boolean> {
    const { call, store, on_conflict } = this.#job;
    const { seen } = store;
    const suffix = `.conflict-${call.event_id.slice(-8).toLowerCase()}`;
    const { steps, conflicts } = merge([...this.left], { seen, now: this.#now }, suffix);
    for (const conflict of conflicts) this.#conflicts.set(conflict.path, conflict);
    if (conflicts.length > 0 && on_conflict === 'refuse') return true;
    try {
      return await this.#apply(steps);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#refused(error, steps);
    }
  }

  async #apply(steps: readonly Step[]): Promise<boolean> {
    const { call, store } = this.#job;
    const intents = new Map(steps.map((step) => [step.operation, step.intents]));
    for (const operations of splitOperations(steps.map(({ operation }) => operation))) {
      const written = await writeMemories(this.#ports.memory, {
        store_id: store.seen.memory_store_id,
        workspace_id: call.workspace_id,
        operations,
        actor: { type: 'session_actor', session_id: call.session_id },
        written_by: { thread_id: call.thread_id, event_id: call.event_id },
      });
      if (written.outcome === 'stale') return false;
      this.#now = this.#ports.snapshots.follow(this.#now, written.changes);
      for (const done of operations.flatMap((one) => intents.get(one) ?? [])) {
        this.left.delete(done);
      }
    }
    return true;
  }

  #refused(fault: Fault, steps: readonly Step[]): boolean {
    // Somebody has taken a place since we looked.
    if (fault.kind === 'memory_path_conflict') return false;
    const created = steps
      .filter(({ operation }) => operation.kind === 'create')
      .flatMap(({ intents }) => intents)
      .filter((intent) => this.left.has(intent));
    const is_full = fault.details?.['error_code'] === 'memory_store_full' && created.length > 0;
    // A full store takes what makes it no fuller.
    this.giveUp(is_full ? created : [...this.left], fault.message);
    return this.left.size === 0;
  }

  giveUp(intents: readonly Intent[], reason: string): void {
    for (const intent of intents) {
      this.left.delete(intent);
      this.#conflicts.delete(intent.path);
      const lost_sha256 = intent.next?.sha256 ?? '';
      this.#not_kept.push({ path: this.#shown(intent.path), reason, lost_sha256 });
    }
  }

  /** Read the store again. */
  async look(): Promise<void> {
    this.#now = await this.#ports.snapshots.read(this.#now.memory_store_id);
    if (this.#now.state === 'live') return;
    this.giveUp([...this.left], `the memory store was ${this.#now.state} meanwhile.`);
  }

  #shown(path: string): string {
    return `${this.#job.store.mount.path}${path}`;
  }

  result(): StoreResult {
    const conflicts = [...this.#conflicts.values()].map(({ path, saved_as }) => ({
      path: this.#shown(path),
      saved_as: saved_as === undefined ? undefined : this.#shown(saved_as),
    }));
    return { conflicts, not_kept: this.#not_kept };
  }
}
