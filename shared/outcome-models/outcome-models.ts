import { createHash } from 'node:crypto';
import { agentKey, type AgentHead } from '../agents/agent.ts';
import { readHead } from '../agents/agents.ts';
import { again } from '../core/again.ts';
import type { Call } from '../core/call.ts';
import { timestamp } from '../core/clock.ts';
import { commit } from '../core/commit.ts';
import { Fault } from '../core/fault.ts';
import { forwardOnly, readPage, type Page } from '../core/page.ts';
import type { Ports } from '../core/ports.ts';
import { load, store } from '../core/stored.ts';
import type { Write } from '../core/table.ts';
import { nextContent, type CurrentModel } from './model-rules.ts';
import type { ModelPut, ModelVersionsQuery } from './model-wire.ts';
import { modelKey, type ModelHead, type ModelVersion, type OutcomeModel } from './outcome-model.ts';

/**
 * Make the next version of an agent's outcome model, unless nothing changes. Without `version` in
 * the body the last write wins.
 *
 * @throws Fault `missing`; `invalid` for an archived agent; see {@link nextContent}
 */
export async function putModel(
  ports: Ports,
  call: Call,
  agent_id: string,
  body: ModelPut,
): Promise<OutcomeModel> {
  return await again(`the outcome model of agent '${agent_id}'`, async () => {
    const head = await readHead(ports, call, agent_id);
    checkWritable(head);
    const before = await currentOf(ports, agent_id, head.outcome_model);
    const content = nextContent(before?.current, body);
    if (content === before?.current.content) {
      return await commit(ports, call, [], { answer: before.shown });
    }
    const version = (before?.current.version ?? 0) + 1;
    const row: ModelVersion = {
      ...modelKey(agent_id, version),
      created_at: timestamp(ports.clock),
      // The hash keeps two racing changes, which make the same version, from sharing an object.
      content: await store(ports.blobs, objectKey(agent_id, content), content),
    };
    const next: ModelHead = { version, deleted_at: null };
    const answer = await shown(ports, agent_id, next, row);
    const writes = [headWrite(head, next), { put: row, condition: 'attribute_not_exists(pk)' }];
    return await commit(ports, call, writes, { answer });
  });
}

/**
 * @param version @default - the newest
 * @throws Fault `missing`, also when there is none
 */
export async function getModel(
  ports: Ports,
  call: Call,
  agent_id: string,
  version?: number,
): Promise<OutcomeModel> {
  const { outcome_model } = await readHead(ports, call, agent_id);
  if (outcome_model === undefined) throw none(agent_id);
  const wanted = version ?? outcome_model.version;
  const row = await ports.table.get(modelKey(agent_id, wanted));
  if (row === undefined) {
    throw new Fault(
      'missing',
      `The outcome model of agent '${agent_id}' has no version ${wanted}.`,
    );
  }
  return await shown(ports, agent_id, outcome_model, row as ModelVersion);
}

/** Newest first. @throws Fault `missing`, also when there is none */
export async function listModelVersions(
  ports: Ports,
  call: Call,
  agent_id: string,
  query: ModelVersionsQuery,
): Promise<Page<OutcomeModel>> {
  const { outcome_model } = await readHead(ports, call, agent_id);
  if (outcome_model === undefined) throw none(agent_id);
  const { pk, sk: to } = modelKey(agent_id, outcome_model.version);
  const { sk: from } = modelKey(agent_id, 1);
  const kind = `outcome model of ${agent_id}`;
  const page = await readPage({ kind, order: 'desc', from, to, ...query }, async (stretch) => {
    const { rows, more } = await ports.table.query({ pk, ...stretch });
    const entries = rows.map(async (row) => ({
      position: row.sk,
      item: await shown(ports, agent_id, outcome_model, row as ModelVersion),
    }));
    return { entries: await Promise.all(entries), more };
  });
  return forwardOnly(page);
}

/** One-way: no reports from now on, the versions stay. A repeat answers as the first did. */
export async function deleteModel(
  ports: Ports,
  call: Call,
  agent_id: string,
): Promise<OutcomeModel> {
  return await again(`the outcome model of agent '${agent_id}'`, async () => {
    const head = await readHead(ports, call, agent_id);
    const before = await currentOf(ports, agent_id, head.outcome_model);
    if (before === undefined) throw none(agent_id);
    const { version, deleted_at } = before.current;
    if (deleted_at !== null) return before.shown;
    checkWritable(head);
    const next: ModelHead = { version, deleted_at: timestamp(ports.clock) };
    await ports.table.transact([headWrite(head, next)]);
    return { ...before.shown, deleted_at: next.deleted_at };
  });
}

/**
 * The newest version, for a report.
 *
 * @returns undefined when there is none, or none any more
 */
export async function reportedModel(
  ports: Pick<Ports, 'table' | 'blobs'>,
  agent_id: string,
): Promise<OutcomeModel | undefined> {
  const head = (await ports.table.get(agentKey(agent_id))) as AgentHead | undefined;
  const current = await currentOf(ports, agent_id, head?.outcome_model);
  return current?.current.deleted_at === null ? current.shown : undefined;
}

function checkWritable({ pk, archived_at }: AgentHead): void {
  if (archived_at === null) return;
  const id = pk.slice('AGENT#'.length);
  throw new Fault('invalid', `agent '${id}' is archived, so its outcome model cannot be changed.`, {
    details: { error_code: 'agent_archived' },
  });
}

function none(agent_id: string): Fault {
  return new Fault('missing', `agent '${agent_id}' has no outcome model.`);
}

/** The agent's head holds the newest version: a condition on what was read keeps changes serial. */
function headWrite({ pk, sk, outcome_model }: AgentHead, next: ModelHead): Write {
  const stands =
    outcome_model === undefined ? 'attribute_not_exists(outcome_model)' : 'outcome_model = :read';
  return {
    update: { pk, sk },
    expression: 'SET outcome_model = :next',
    condition: `${stands} AND archived_at = :never`,
    values: {
      ':next': next,
      ':never': null,
      ...(outcome_model === undefined ? {} : { ':read': outcome_model }),
    },
  };
}

interface Found {
  readonly current: CurrentModel;
  readonly shown: OutcomeModel;
}

async function currentOf(
  ports: Pick<Ports, 'table' | 'blobs'>,
  agent_id: string,
  head: ModelHead | undefined,
): Promise<Found | undefined> {
  if (head === undefined) return undefined;
  const row = await ports.table.get(modelKey(agent_id, head.version));
  const model = await shown(ports, agent_id, head, row as ModelVersion);
  const { success_criteria, failure_modes, signals, report } = model;
  const content = { success_criteria, failure_modes, signals, report };
  return { current: { ...head, content }, shown: model };
}

async function shown(
  { blobs }: Pick<Ports, 'blobs'>,
  agent_id: string,
  { deleted_at }: ModelHead,
  { sk, created_at, content }: ModelVersion,
): Promise<OutcomeModel> {
  const version = Number(sk.slice('OM#'.length));
  const loaded = await load(blobs, content);
  return { type: 'outcome_model', agent_id, version, ...loaded, created_at, deleted_at };
}

function objectKey(agent_id: string, content: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return `configs/${agent_id}/${hash}.json`;
}
