import { AwsJson } from '#shared/core/aws-json.ts';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAssembly } from '../infra/local/assembly.ts';
import { createTables } from '../infra/local/dynamodb/tables.ts';
import type { Hooks } from '../infra/local/gateway.ts';
import { startHost, type Host, type HostOptions } from '../infra/local/host.ts';
import { Stack } from '../infra/local/template/stack.ts';
import { startModel, type ModelOptions, type ScriptedModel } from './model/model.ts';

export const ADMIN_KEY = 'test-admin-key';
export const MODEL_KEY = 'test-model-key';

/** A host and the model that it asks. */
export interface TestHost {
  readonly host: Host;
  readonly model: ScriptedModel;
  /** Ends them, or keeps the host for the next that asks for one like it. */
  close(): Promise<void>;
}

/** A host of the plain template, whose hooks change with who uses it. */
interface Plain {
  readonly host: Host;
  readonly folder: string;
  readonly model_port: number;
  hooks: Hooks;
}

/**
 * Of a test file of this worker that has ended: at rest, with an empty table and an empty bucket. What its
 * functions have loaded and V8 has compiled need not be once more, which is a fifth of a file's time.
 */
let spare: Plain | undefined;

/** A host of the plain template, but for its hooks, may have been another's before. */
export async function openHost(
  options: Partial<HostOptions>,
  modelOptions: ModelOptions,
): Promise<TestHost> {
  const { hooks = {}, ...others } = options;
  const is_plain = Object.keys(others).length === 0 && modelOptions.port === undefined;
  // An engine that is given has one table for all hosts: nobody may empty it.
  const is_shared = Boolean(process.env['AWS_ENDPOINT_URL_DYNAMODB']);
  if (!is_plain || is_shared) {
    const { host, model, folder } = await openNew(options, modelOptions);
    return { host, model, close: async () => await end(host, model, folder) };
  }
  const taken = spare;
  spare = undefined;
  if (taken === undefined) return await openPlain(hooks, modelOptions);
  taken.host.resetCounters();
  taken.hooks = hooks;
  return testHostOf(taken, await startModel({ ...modelOptions, port: taken.model_port }));
}

async function openNew(options: Partial<HostOptions>, modelOptions: ModelOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'reverie-test-'));
  const model = await startModel(modelOptions);
  const host = await startHost({
    data_dir: folder,
    admin_key: ADMIN_KEY,
    model: { api_key: MODEL_KEY, base_url: model.url },
    is_warmed: false,
    ...options,
  });
  return { folder, model, host };
}

async function openPlain(hooks: Hooks, modelOptions: ModelOptions): Promise<TestHost> {
  const changing: Hooks = {
    before: async (call) => await plain.hooks.before?.(call),
    after: async (call, reply) => await plain.hooks.after?.(call, reply),
  };
  const { host, model, folder } = await openNew({ hooks: changing }, modelOptions);
  const plain: Plain = { host, folder, model_port: Number(new URL(model.url).port), hooks };
  return testHostOf(plain, model);
}

function testHostOf(plain: Plain, model: ScriptedModel): TestHost {
  const { host, folder } = plain;
  return {
    host,
    model,
    close: async () => {
      plain.hooks = {};
      // What still runs would go on in the next file.
      if (spare !== undefined || host.running() > 0) return await end(host, model, folder);
      await model.close();
      await empty(plain);
      spare = plain;
    },
  };
}

async function end(host: Host, model: ScriptedModel, folder: string): Promise<void> {
  await host.stop();
  await model.close();
  await rm(folder, { recursive: true, force: true });
}

async function empty({ host, folder }: Plain): Promise<void> {
  const client = new AwsJson('dynamodb', host.aws);
  const TableName = String(host.outputs['TableName']);
  await client.call('DeleteTable', { TableName });
  const { template } = await loadAssembly(() => undefined);
  await createTables(client, new Stack(template));
  const buckets = join(folder, 'buckets');
  for (const bucket of await readdir(buckets)) {
    const objects = join(buckets, bucket, 'objects');
    for (const name of await readdir(objects)) {
      await rm(join(objects, name), { recursive: true, force: true });
    }
  }
}
