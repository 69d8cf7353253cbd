import type { Key, Row, Update } from '../core/table.ts';

/** A playbook that a tool's answer has shown to the model. */
export interface ShownPlaybook {
  readonly memory_store_id: string;
  readonly memory_id: string;
  readonly memory_version_id: string;
  /** In its store. */
  readonly path: string;
}

/** Where and when it was shown. */
interface Place {
  readonly session_id: string;
  readonly thread_id: string;
  /** The tool call's. */
  readonly event_id: string;
  readonly at: string;
}

/** `SESSION#<id>` / `PLAYBOOK#<store>#<memory>`: that a session has read a playbook, and when first. */
export interface PlaybookReadRow extends Row, ShownPlaybook {
  readonly schema: 1;
  readonly thread_id: string;
  readonly event_id: string;
  readonly read_at: string;
}

/** Below and above every playbook that a session has read. */
export const playbookReadKeys = { from: 'PLAYBOOK#', to: 'PLAYBOOK#~' } as const;

export function playbookReadKey(
  session_id: string,
  { memory_store_id, memory_id }: Pick<ShownPlaybook, 'memory_store_id' | 'memory_id'>,
): Key {
  return { pk: `SESSION#${session_id}`, sk: `PLAYBOOK#${memory_store_id}#${memory_id}` };
}

/**
 * Record that a playbook was read, along with the answer that shows it. No condition: the first time
 * stands, whoever comes again changes nothing, and a thread that writes it too loses nothing.
 */
export function recordRead(
  { session_id, thread_id, event_id, at }: Place,
  { memory_store_id, memory_id, memory_version_id, path }: ShownPlaybook,
): Update {
  const facts = {
    schema: 1,
    memory_store_id,
    memory_id,
    memory_version_id,
    path,
    thread_id,
    event_id,
    read_at: at,
  };
  const names = Object.keys(facts);
  const sets = names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`);
  return {
    update: playbookReadKey(session_id, { memory_store_id, memory_id }),
    expression: `SET ${sets.join(', ')}`,
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries(Object.entries(facts).map(([name, value]) => [`:${name}`, value])),
  };
}
