import { toFile } from '@anthropic-ai/sdk';
import type {
  BetaManagedAgentsSession,
  SessionCreateParams,
} from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { BetaManagedAgentsSessionResource } from '@anthropic-ai/sdk/resources/beta/sessions/resources';
import { newName } from '#shared/core/id.ts';
import { SessionFiles } from '#shared/files/session-files.ts';
import { collect } from './door.ts';
import { startSessionRig, type SessionRig } from './session-rig.ts';

export type Resources = NonNullable<SessionCreateParams['resources']>;

/** Sessions with what they work with, over HTTP; no step runs. */
export interface ResourceRig extends SessionRig {
  readonly beta: SessionRig['client']['beta'];
  /** The file systems of the sessions, as tools see them. */
  readonly files: SessionFiles;
  /** A new file. @returns its id */
  readonly upload: (text?: string, name?: string) => Promise<string>;
  /** A new memory store. @returns its id */
  readonly store: (name?: string, index?: string) => Promise<string>;
  readonly withResources: (...resources: Resources) => Promise<BetaManagedAgentsSession>;
  readonly list: (session_id: string) => Promise<BetaManagedAgentsSessionResource[]>;
}

export async function startResourceRig(): Promise<ResourceRig> {
  const rig = await startSessionRig();
  const { beta } = rig.client;
  return {
    ...rig,
    beta,
    files: new SessionFiles({ ...rig.door.ports, newName }),
    upload: async (text = 'a,b\n', name = 'data.csv') => {
      const { id } = await beta.files.upload({ file: await toFile(Buffer.from(text), name) });
      return id;
    },
    store: async (name = 'User Preferences', index?: string) => {
      const { id } = await beta.memoryStores.create({ name, description: 'What they like' });
      if (index !== undefined) {
        await beta.memoryStores.memories.create(id, { path: '/_index.md', content: index });
      }
      return id;
    },
    withResources: async (...resources) => await rig.create({ resources }),
    list: async (session_id) => await collect(rig.sessions.resources.list(session_id)),
  };
}

export const repository = {
  type: 'github_repository',
  url: 'https://github.com/octo/hello-world',
} as const;
