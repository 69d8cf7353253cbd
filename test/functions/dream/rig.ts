import type { BetaDream, DreamCreateParams } from '@anthropic-ai/sdk/resources/beta/dreams';
import { ConflictError } from '@anthropic-ai/sdk';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { lookUntil } from '../../look.ts';
import type { ModelRequest } from '../../model/model.ts';
import { say, type Reply } from '../../model/replies.ts';
import { message, startRig, type Rig } from '../../rig.ts';
import type { Call } from '../../../infra/local/gateway.ts';
import type { HostOptions } from '../../../infra/local/host.ts';
import { askedFor, dreamed } from './dreamer.ts';

const LOOK_MS = 15;
const LOOKS_MAX = 1_500;
/** Waits of the machine pass quickly, yet slowly enough for no function to run out of its time. */
const STEP_MS = 500;

/** The platform with a dreamer by rule, and what dreams are made of. */
export interface DreamRig extends Rig {
  /** Answers requests of dreams before the dreamer does; undefined leaves them to it. */
  answers: (request: ModelRequest) => Reply | undefined | Promise<Reply | undefined>;
  /** Run before each call that the dream function makes to AWS. */
  onCall: (made: Call) => void | Promise<void>;
  store(memories: Readonly<Record<string, string>>): Promise<string>;
  /** A session that has come to rest after each of these messages of its user. */
  talk(...texts: string[]): Promise<string>;
  dream(
    store_id: string,
    session_ids: readonly string[],
    more?: Partial<DreamCreateParams>,
  ): Promise<BetaDream>;
  /** The same, once no other dream holds the store. */
  dreamWhenFree: DreamRig['dream'];
  untilDream(id: string, found: (dream: BetaDream) => boolean): Promise<BetaDream>;
  /** Wait until it has ended. */
  ended(id: string): Promise<BetaDream>;
  /** Wait until its session is archived, which is the last but one thing that a dream does. */
  settled(id: string): Promise<BetaDream>;
  texts(store_id: string): Promise<Record<string, string>>;
  /** Everything of a store that a client can see, as one hash. */
  hash(store_id: string): Promise<string>;
}

export async function startDreamRig(options: Partial<HostOptions> = {}): Promise<DreamRig> {
  let self: DreamRig | undefined;
  const before = async (made: Call): Promise<void> => {
    if (made.function_name === 'dream') await self?.onCall(made);
  };
  const rig = await startRig({ hooks: { before }, ...options });
  const { client } = rig;
  const agent_id = await rig.agent({ tools: [] });
  const untilDream: DreamRig['untilDream'] = async (id, found) => {
    return await lookUntil(
      rig.host,
      async () => {
        const dream = await client.beta.dreams.retrieve(id);
        return found(dream) ? dream : undefined;
      },
      {
        step_ms: STEP_MS,
        stuck: async () =>
          `${id} never got there: ${JSON.stringify(await client.beta.dreams.retrieve(id))}`,
      },
    );
  };
  const ended: DreamRig['ended'] = async (id) =>
    await untilDream(id, ({ status }) => !['pending', 'running'].includes(status));
  const made: DreamRig = {
    ...rig,
    answers: () => undefined,
    onCall: () => undefined,
    store: async (memories) => {
      const { id } = await client.beta.memoryStores.create({
        name: 'Input',
        description: 'Of a test',
      });
      for (const [path, content] of Object.entries(memories)) {
        await client.beta.memoryStores.memories.create(id, { path, content });
      }
      return id;
    },
    talk: async (...texts) => {
      const { id } = await client.beta.sessions.create({
        agent: agent_id,
        environment_id: rig.environment_id,
      });
      for (const [index, text] of texts.entries()) {
        await rig.send(id, message(text));
        await rig.rested(id, index + 1);
      }
      return id;
    },
    dream: async (memory_store_id, session_ids, more = {}) =>
      await client.beta.dreams.create({
        inputs: [
          { type: 'memory_store', memory_store_id },
          { type: 'sessions', session_ids: [...session_ids] },
        ],
        model: 'claude-sonnet-5-5',
        ...more,
      }),
    dreamWhenFree: async (...wanted) => {
      for (let look = 0; look < LOOKS_MAX; look++) {
        try {
          return await made.dream(...wanted);
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
        }
        await sleep(LOOK_MS);
        await rig.host.advance(STEP_MS);
      }
      throw new Error('the store was never free');
    },
    untilDream,
    ended,
    settled: async (id) => {
      const dream = await ended(id);
      const { session_id } = dream;
      if (session_id === null) return dream;
      return await lookUntil(
        rig.host,
        async () => {
          const session = await client.beta.sessions.retrieve(session_id);
          if (session.archived_at === null) return undefined;
          return await client.beta.dreams.retrieve(id);
        },
        { step_ms: STEP_MS, stuck: () => `${id} never settled` },
      );
    },
    texts: async (store_id) => {
      const texts: Record<string, string> = {};
      const list = client.beta.memoryStores.memories.list(store_id, { view: 'full' });
      for await (const item of list) {
        if (item.type === 'memory') texts[item.path] = item.content ?? '';
      }
      return texts;
    },
    hash: async (store_id) => {
      const seen: unknown[] = [await client.beta.memoryStores.retrieve(store_id)];
      const { memories, memoryVersions } = client.beta.memoryStores;
      for await (const memory of memories.list(store_id, { view: 'full' })) seen.push(memory);
      for await (const version of memoryVersions.list(store_id, { view: 'full' }))
        seen.push(version);
      return createHash('sha256').update(JSON.stringify(seen, sorted)).digest('hex');
    },
  };
  rig.model.otherwise(async (request) => {
    if (askedFor(request) === undefined) return say('Noted.');
    return (await made.answers(request)) ?? dreamed(request);
  });
  self = made;
  return made;
}

/** Names of objects in one order: a table's maps come in any. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
