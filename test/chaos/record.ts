import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { BetaManagedAgentsSessionThread } from '@anthropic-ai/sdk/resources/beta/sessions/threads/threads';
import type { Event } from '../rig.ts';
import { listAll } from './client-calls.ts';
import { everyOf, type PatientClient } from './patient-client.ts';
import { STORE_MOUNT, type Story } from './scene.ts';
import type { Frame } from './steady-stream.ts';

/** A line that a command was to append, and where. */
export interface Planned {
  readonly line: string;
  readonly file: string;
}

/** A request that the API did not do. */
export interface Refusal {
  readonly what: string;
  readonly status: number | undefined;
  readonly body: unknown;
}

/** What a client knows of a session that it has played. */
export interface Played {
  readonly id: string;
  readonly story: Story;
  /** Every event that the API has accepted, as it was answered. */
  readonly sent: readonly Event[];
  readonly refused: readonly Refusal[];
  readonly planned: readonly Planned[];
}

/** A child thread with its log. */
export interface Child {
  readonly thread: BetaManagedAgentsSessionThread;
  readonly log: readonly Event[];
}

export interface Streamed {
  readonly given: readonly string[];
  readonly expected: readonly string[];
  /** All that came, previews too, each opening of the stream apart. */
  readonly openings: readonly (readonly Frame[])[];
}

/** All that a client can know of a session that has come to rest: what an oracle judges. */
export interface SessionRecord {
  readonly session: BetaManagedAgentsSession;
  readonly primary_id: string;
  /** The session's own log. */
  readonly log: readonly Event[];
  readonly children: readonly Child[];
  readonly sent: readonly Event[];
  readonly refused: readonly Refusal[];
  readonly planned: readonly Planned[];
  /** Text of each file and each memory, by its path in the session. */
  readonly texts: ReadonlyMap<string, string>;
  /** What an open stream has given and should have, where one was read. */
  readonly streamed: Streamed | undefined;
}

export async function recordOf(
  patient: PatientClient,
  { id, sent, refused, planned, story }: Played,
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
  return { session, primary_id, log, children, sent, refused, planned, texts, streamed };
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
