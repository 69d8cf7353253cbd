/** Repositories before a turn's model request: tried once a run, told once, whatever dies. */
import type { BetaManagedAgentsSessionErrorEvent } from '@anthropic-ai/sdk/resources/beta/sessions/events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '#shared/core/id.ts';
import type { RepositoryFault } from '#shared/resources/github-archive.ts';
import { newRepository } from '#shared/resources/repository.ts';
import type { RepositoryResource } from '#shared/resources/resource.ts';
import { loadLine, walkLog } from '#shared/threads/log.ts';
import { takeLease } from '#shared/turn/lease.ts';
import { bringRepositories } from '#shared/turn/repositories.ts';
import { Turn } from '#shared/turn/turn.ts';
import type { TurnPorts } from '#shared/turn/turn-ports.ts';
import { LeaseLost } from '#shared/turn/writer.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { append, putSession, queue, testPorts, type TestPorts } from '../../sessions.ts';

let started: StartedTable;
let ports: TestPorts;
beforeAll(async () => {
  started = await startTable();
  ports = testPorts(started.table);
});
afterAll(async () => await started.stop());

const call = { request_id: 'req_1', workspace_id: 'wrkspc_1', api_key_id: 'apikey_1', scopes: [] };
const fault: RepositoryFault = { type: 'repository_clone_error', message: 'It is down.' };
const url = 'https://github.com/octo/hello';

type Bring = TurnPorts['bringRepository'];

interface Prepared {
  readonly thread_id: string;
  readonly resource: RepositoryResource;
  /** What an invocation of a run finds. */
  readonly open: (run: number, bring: Bring, execution?: string) => Promise<Turn>;
  readonly row: () => Promise<RepositoryResource>;
  readonly errors: () => Promise<unknown[]>;
}

/** A session with a repository, running for the first time. */
async function prepare(): Promise<Prepared> {
  const session_id = newId('session');
  const owner = { session_id, workspace_id: 'wrkspc_1', at: '2026-01-01T00:00:00.000Z' };
  const params = { type: 'github_repository', url } as const;
  const resource = await newRepository(ports, owner, params);
  const { thread_id } = await putSession(ports, call, { session_id, resources: [resource] });
  await ports.table.transact([{ put: resource }]);
  return {
    thread_id,
    resource,
    open: async (run, bring, execution = 'mine') => {
      await append(ports, thread_id, [], { status: 'running', run, lease_until_ms: 0 });
      const head = await takeLease(ports.table, ports.clock, { thread_id, run, execution });
      if (head === undefined) throw new Error('the lease is free');
      // The model and the tools are not asked here.
      const all = { ...ports, bringRepository: bring, contexts: new Map() };
      const deadline_ms = ports.clock.now().getTime() + 600_000;
      return await Turn.open(all as unknown as TurnPorts, head, deadline_ms);
    },
    row: async () => (await ports.table.get(resource)) as RepositoryResource,
    errors: async () => {
      const lines: unknown[] = [];
      for await (const page of walkLog(ports.table, thread_id)) {
        const loaded = await Promise.all(page.map(async (one) => await loadLine(ports.blobs, one)));
        lines.push(
          ...loaded.map(({ event }) => (event as BetaManagedAgentsSessionErrorEvent).error),
        );
      }
      return lines;
    },
  };
}

test('a failure is told in the words of the API and is not tried again in the same run', async () => {
  const { open, row, errors } = await prepare();
  let tries = 0;
  const bring: Bring = async () => (tries++, fault);
  expect(await bringRepositories(await open(1, bring))).toBe(true);
  expect(await errors()).toEqual([
    { ...fault, repository_url: url, retry_status: { type: 'retrying' } },
  ]);
  const again = await open(1, bring);
  expect(await bringRepositories(again)).toBe(true);
  expect(tries).toBe(1);
  expect(await row()).toMatchObject({ state: 'pending', tried_run: 1 });

  expect(await bringRepositories(await open(2, bring))).toBe(true);
  expect(await errors()).toHaveLength(2);
  const turn = await open(3, async () => undefined);
  expect(await bringRepositories(turn)).toBe(true);
  expect(turn.resources).toMatchObject([{ state: 'ready' }]);
  expect(await row()).toMatchObject({ state: 'ready', tried_run: 3 });
  expect(await bringRepositories(await open(4, bring))).toBe(true);
  expect(tries).toBe(2);
  expect(await errors()).toHaveLength(2);
});

test('one that dies before it is recorded is tried again; one that lost its lease records nothing', async () => {
  const { open, row, errors } = await prepare();
  const dying = await open(1, async () => await Promise.reject(new Error('died here')));
  await expect(bringRepositories(dying)).rejects.toThrow('died here');
  expect(await row()).toMatchObject({ state: 'pending', tried_run: 0 });
  let other: Turn | undefined;
  const slow = await open(1, async () => {
    other = await open(1, async () => fault, 'theirs');
    await bringRepositories(other);
    return fault;
  });
  await expect(bringRepositories(slow)).rejects.toThrow(LeaseLost);
  expect(await errors()).toHaveLength(1);
  expect(await row()).toMatchObject({ tried_run: 1 });
});

test('a client that interrupts stops it, and nothing is told of it', async () => {
  const { open, row, errors, thread_id } = await prepare();
  const turn = await open(1, async (_resource, _workspace_id, signal) => {
    const event = { id: newId('event'), type: 'user.interrupt', processed_at: null } as const;
    await queue(ports, thread_id, [event]);
    return await new Promise((_done, fail) => {
      signal.addEventListener('abort', () => fail(new Error('aborted')));
    });
  });
  expect(await bringRepositories(turn)).toBe(false);
  expect(await row()).toMatchObject({ tried_run: 0 });
  expect(await errors()).toEqual([]);
});
