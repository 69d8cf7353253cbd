import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import type { Event } from '../rig.ts';
import { listAll, type ChaosSession, type Planned } from './chaos-session.ts';
import { everyOf, type PatientClient } from './patient-client.ts';
import { STORE_MOUNT } from './scene.ts';

/** A child thread with its log. */
export interface Child {
  readonly thread: BetaManagedAgentsSessionThread;
  readonly log: readonly Event[];
}

export interface Streamed {
  readonly given: readonly string[];
  readonly expected: readonly string[];
}

/** All that a client can know of a session that has come to rest: what an oracle judges. */
export interface SessionRecord {
  readonly session: BetaManagedAgentsSession;
  readonly primary_id: string;
  /** The session's own log. */
  readonly log: readonly Event[];
  readonly children: readonly Child[];
  readonly sent: readonly { readonly id: string; readonly type: string }[];
  readonly planned: readonly Planned[];
  /** Text of each file and each memory, by its path in the session. */
  readonly texts: ReadonlyMap<string, string>;
  /** Ids as an open stream has given them, and as it should have, where one was read. */
  readonly streamed: Streamed | undefined;
}

export async function recordOf(
  patient: PatientClient,
  { id, sent, planned, story }: ChaosSession,
  streamed: Streamed | undefined,
): Promise<SessionRecord> {
  const session = await patient.do(async (client) => client.beta.sessions.retrieve(id));
  const { data: threads } = await patient.do(async (client) =>
    client.beta.sessions.threads.list(id, { limit: 100 }),
  );
  const primary_id = threads.find(({ parent_thread_id }) => parent_thread_id === null)?.id ?? '';
  const children: Child[] = [];
  for (const thread of threads) {
    if (thread.id === primary_id) continue;
    children.push({ thread, log: await listAll(patient, id, thread.id) });
  }
  const texts = await textsOf(patient, id);
  if (story.store_id !== undefined) {
    const names = new Set(planned.map(({ file }) => file));
    for (const [path, text] of await memoriesOf(patient, story.store_id)) {
      if (names.has(`${STORE_MOUNT}${path}`)) texts.set(`${STORE_MOUNT}${path}`, text);
    }
  }
  const log = await listAll(patient, id);
  return { session, primary_id, log, children, sent, planned, texts, streamed };
}

async function textsOf(patient: PatientClient, id: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const { data } = await patient.do(async (client) =>
    client.beta.files.list({ scope_id: id, limit: 100 }),
  );
  for (const file of data) {
    const text = await patient.do(async (client) =>
      (await client.beta.files.download(file.id)).text(),
    );
    texts.set(`/mnt/session/outputs/${file.filename}`, text);
  }
  return texts;
}

/** Text of each memory of a store, by its path. */
export async function memoriesOf(
  patient: PatientClient,
  store_id: string,
): Promise<Map<string, string>> {
  const memories = await everyOf(async (page) =>
    patient.do(async (client) =>
      client.beta.memoryStores.memories.list(store_id, { view: 'full', limit: 20, ...page }),
    ),
  );
  return new Map(
    memories.flatMap((one): [string, string][] =>
      one.type === 'memory' ? [[one.path, one.content ?? '']] : [],
    ),
  );
}
