import Anthropic from '@anthropic-ai/sdk';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import { dreamKey, dreamObject, type DreamHead } from '#shared/dreams/dream.ts';
import type { Operation } from '#shared/dreams/operation.ts';
import type { DreamReport } from '#shared/dreams/report.ts';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';
import { anOperation, someEvidence } from '../../shared/dreams/samples.ts';
import { putDream, putReport, snapshotOf } from '../../shared/reviews/review-rig.ts';

export const PHONE = '0151-2345678';
export const PATH = '/people/anna-meier.md';
export const anna = `The phone of Anna Meier is ${PHONE}.\n`;

/** Of the memory at {@link PATH}. */
export interface Stored {
  readonly store_id: string;
  readonly memory_id: string;
  readonly version_id: string;
}

/** The first and the last are about {@link anna}, the second is not. */
export const operations: readonly Operation[] = [
  anOperation('c0001', {
    op: 'supersede',
    path: PATH,
    by_path: PATH,
    text: `Anna Meier moved; her phone was ${PHONE}.\n`,
    reason: `No longer ${PHONE}.`,
    loser: { text: anna, at: '2026-11-01T00:00:00.000Z' },
    evidence: [someEvidence({ quote: `not ${PHONE} any more` })],
  }),
  anOperation('c0002', { op: 'revise', path: '/other.md', text: 'other 2\n', removed: [] }),
  anOperation('c0003', { op: 'add', path: '/notes/repeats.md', text: `Calls.\n${anna}` }),
];

const score = { question: 'Whose phone?', expected: PHONE, old_correct: true, new_correct: true };
export const gate = {
  recommended: true,
  reason: '',
  old_correct_count: 1,
  new_correct_count: 1,
  scores: [{ ...score, from: 'memory' }],
} as const;
const dropped = [
  { stage: 'verify', reason: 'vetoed', what: `Call ${PHONE}`, evidence: [] },
] as const;

/** Dreams as their pipeline leaves them, over HTTP, and all that there is of them. */
export interface ForgettingRig {
  readonly door: StartedDoor;
  readonly client: Anthropic;
  readonly own: ReverieClient['dreams'];
  readonly workspace_id: string;
  /** A store with {@link anna}, `/other.md`, and more. */
  storeOf(more?: Readonly<Record<string, string>>): Promise<Stored>;
  /** As an operator redacts: the memory goes on without it. */
  redact(stored: Stored): Promise<void>;
  /** Of {@link operations}, unless others are given. */
  dreamOf(
    stored: Pick<Stored, 'store_id'>,
    changed?: Partial<DreamHead>,
    all?: readonly Operation[],
  ): Promise<string>;
  aSession(): Promise<string>;
  /** Every object and row of a dream. */
  allOf(id: string): Promise<string>;
  /** What a client can read of a dream. */
  readable(id: string): Promise<{ readonly report: DreamReport; readonly said: string }>;
  /** While this is not undone, no object of a dream can be replaced. */
  loseReplacing(): () => void;
}

export async function startForgettingRig(): Promise<ForgettingRig> {
  const door = await startDoor();
  const admin = new Anthropic({ baseURL: door.baseURL, apiKey: admin_key, maxRetries: 0 });
  const key = await new ReverieClient(admin).apiKeys.create({ name: 'operator' });
  const client = new Anthropic({ baseURL: door.baseURL, apiKey: key.secret, maxRetries: 0 });
  const { workspace_id } = key;
  const own = new ReverieClient(client).dreams;
  const stores = client.beta.memoryStores;
  const { ports } = door;
  return {
    door,
    client,
    own,
    workspace_id,
    storeOf: async (more = {}) => {
      const { id: store_id } = await stores.create({ name: 'people' });
      const made = await stores.memories.create(store_id, { path: PATH, content: anna });
      for (const [path, content] of Object.entries({ '/other.md': 'other\n', ...more })) {
        await stores.memories.create(store_id, { path, content });
      }
      return { store_id, memory_id: made.id, version_id: made.memory_version_id };
    },
    redact: async ({ store_id: memory_store_id, memory_id, version_id }) => {
      const left = { memory_store_id, path: '/left.md', content: '-\n' };
      await stores.memories.update(memory_id, left);
      await stores.memoryVersions.redact(version_id, { memory_store_id });
    },
    dreamOf: async ({ store_id }, changed = {}, all = operations) => {
      const snapshot = await snapshotOf(ports, store_id);
      const fabricated = { workspace_id, store_id, snapshot, operations: all };
      const id = await putDream(ports, fabricated, changed);
      await putReport(ports, id, { snapshot, operations: all, gate, dropped });
      return id;
    },
    aSession: async () => {
      const agent = await client.beta.agents.create({ name: 'a', model: 'claude-sonnet-5-5' });
      const environment = await client.beta.environments.create({
        name: ports.newId('environment'),
        config: { type: 'cloud' },
      });
      const of = { agent: agent.id, environment_id: environment.id };
      return (await client.beta.sessions.create(of)).id;
    },
    allOf: async (id) => {
      const kept = [...ports.blobs.objects]
        .filter(([object]) => object.startsWith(dreamObject(id, '')))
        .map(([object, body]) => `${object} ${Buffer.from(body).toString()}`);
      const { pk } = dreamKey(id);
      const { rows } = await ports.table.query({ pk, from: ' ', to: '~' });
      return JSON.stringify([kept, rows]);
    },
    readable: async (id) => {
      const report = await own.report(id);
      const markdown = await (await own.reportMarkdown(id)).text();
      const changes = await own.changes(id);
      const applies = await own.applies(id);
      return { report, said: JSON.stringify([report, markdown, changes, applies]) };
    },
    loseReplacing: () => {
      const getTagged = ports.blobs.getTagged.bind(ports.blobs);
      ports.blobs.getTagged = async () => await Promise.reject(new Error('lost'));
      return () => {
        ports.blobs.getTagged = getTagged;
      };
    },
  };
}

/** @returns 200, or the status of the error */
export async function statusOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 200,
    (error: unknown) => (error instanceof Anthropic.APIError ? error.status : error),
  );
}
