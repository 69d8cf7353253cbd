import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsSessionEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { newName } from '#shared/core/id.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { SessionFiles } from '#shared/files/session-files.ts';
import type { Manifest } from '#shared/transcripts/manifest.ts';
import { transcriptPrefix } from '#shared/transcripts/segment.ts';
import type { Host } from '../../infra/local/host.ts';
import { lookUntil } from '../look.ts';

type Event = BetaManagedAgentsSessionEvent;

const OUTPUTS = '/mnt/session/outputs';

/** Waits of the machine pass quickly, yet slowly enough for no function to run out of its time. */
const STEP_MS = 500;
const LOOK_MS = 10;
const LOOKS_MAX = 2_000;

/** Drives one session after the other through the official SDK, as a client that only polls. */
export class Drive {
  readonly #client: Anthropic;
  readonly #host: Host;
  readonly #files: SessionFiles;
  readonly #blobs: S3Blobs;
  readonly #agent_id: string;
  readonly #environment_id: string;
  #session_id = '';

  private constructor(client: Anthropic, host: Host, ids: { agent: string; environment: string }) {
    this.#client = client;
    this.#host = host;
    this.#blobs = new S3Blobs(String(host.outputs['BucketName']), host.aws);
    this.#files = new SessionFiles({
      table: new DynamoTable(String(host.outputs['TableName']), host.aws),
      blobs: this.#blobs,
      clock: systemClock,
      newName,
    });
    this.#agent_id = ids.agent;
    this.#environment_id = ids.environment;
  }

  static async open(client: Anthropic, host: Host): Promise<Drive> {
    const environment = await client.beta.environments.create({
      name: 'crash',
      config: { type: 'cloud' },
    });
    const agent = await client.beta.agents.create({
      name: 'Worker',
      model: 'claude-sonnet-5-5',
      tools: [
        {
          type: 'agent_toolset_20260401',
          configs: [{ name: 'write', permission_policy: { type: 'always_ask' } }],
        },
      ],
    });
    return new Drive(client, host, { agent: agent.id, environment: environment.id });
  }

  /** One rich session from its creation to its last idle. @returns its events */
  async session(): Promise<Event[]> {
    const session = await this.#client.beta.sessions.create({
      agent: this.#agent_id,
      environment_id: this.#environment_id,
    });
    this.#session_id = session.id;
    await this.#send({ type: 'user.message', content: [{ type: 'text', text: 'Begin.' }] });
    const asked = await this.#until((events) => {
      const idle = events.find((event) => event.type === 'session.status_idle');
      return idle?.type === 'session.status_idle' && idle.stop_reason.type === 'requires_action'
        ? idle.stop_reason.event_ids
        : undefined;
    });
    await this.#send({
      type: 'user.tool_confirmation',
      tool_use_id: asked[0] ?? '',
      result: 'allow',
    });
    await this.#until((events) => (idles(events) === 2 ? true : undefined));
    await this.#send({ type: 'user.message', content: [{ type: 'text', text: 'Go on.' }] });
    await this.#until((events) =>
      events.at(-1)?.type === 'span.model_request_start' ? true : undefined,
    );
    await this.#send({ type: 'user.interrupt' });
    return await this.#until((events) => (idles(events) === 3 ? events : undefined));
  }

  /** What the tools have left in the outputs folder, by name. */
  async files(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const { path } of await this.#files.list(this.#session_id, OUTPUTS)) {
      // oxlint-disable-next-line no-await-in-loop -- three files
      const { bytes } = await this.#files.read(this.#session_id, path);
      found[path.slice(OUTPUTS.length + 1)] = Buffer.from(bytes).toString('utf8');
    }
    return found;
  }

  /** The transcript in the bucket: all segments as one, once the manifest names `count` of them. */
  async transcript(count: number): Promise<string> {
    const prefix = transcriptPrefix(this.#session_id);
    for (let look = 0; look < LOOKS_MAX; look++) {
      const keys: string[] = [];
      // oxlint-disable-next-line no-await-in-loop -- waits for the machine to repeat the step
      for await (const key of this.#blobs.list(prefix)) keys.push(key);
      const segments = keys.filter((key) => key.endsWith('.jsonl')).toSorted();
      const named = keys.includes(`${prefix}manifest.json`) ? await this.#named() : [];
      if (named.length >= count && named.length === segments.length) {
        const bodies = await Promise.all(segments.map(async (key) => await this.#blobs.get(key)));
        return Buffer.concat(bodies).toString('utf8');
      }
      await sleep(LOOK_MS);
      await this.#host.advance(STEP_MS);
    }
    throw new Error(`session ${this.#session_id} has no whole transcript`);
  }

  async #named(): Promise<string[]> {
    const bytes = await this.#blobs.get(`${transcriptPrefix(this.#session_id)}manifest.json`);
    const { threads } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Manifest;
    return threads.flatMap(({ segments }) => segments.map(({ key }) => key));
  }

  /** Whether the present session's log has an event of this type. */
  async has(type: Event['type']): Promise<boolean> {
    return (await this.#events()).some((event) => event.type === type);
  }

  async #send(
    event: Parameters<Anthropic['beta']['sessions']['events']['send']>[1]['events'][number],
  ) {
    await this.#client.beta.sessions.events.send(this.#session_id, { events: [event] });
  }

  async #events(): Promise<Event[]> {
    const page = await this.#client.beta.sessions.events.list(this.#session_id, { limit: 1_000 });
    return page.data;
  }

  /** Look until `found` says something, while the host's clock runs fast. */
  async #until<T>(found: (events: Event[]) => T | undefined): Promise<T> {
    return await lookUntil(
      this.#host,
      async () => {
        const events = await this.#events();
        return found(events.filter((event) => event.processed_at !== null));
      },
      {
        step_ms: STEP_MS,
        stuck: async () => {
          const types = (await this.#events()).map(({ type }) => type);
          return `session ${this.#session_id} is stuck: ${types.join(' ')}`;
        },
      },
    );
  }
}

function idles(events: readonly Event[]): number {
  return events.filter(({ type }) => type === 'session.status_idle').length;
}
