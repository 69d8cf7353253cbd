import { once } from 'node:events';
import { join } from 'node:path';
import { openFront, type Front } from './api/front.ts';
import { GatewayResponses } from './api/gateway-responses.ts';
import { binaryTypes, Routes } from './api/routes.ts';
import { loadAssembly, type Assembly, type Progress } from './assembly.ts';
import { HostClock } from './clock.ts';
import { Counting, type Counters } from './counting.ts';
import { takeDataDir, type DataDir } from './data-dir.ts';
import { startEngine } from './dynamodb/engine.ts';
import { DynamoService } from './dynamodb/service.ts';
import { clientOf, createTables, sweepExpired } from './dynamodb/tables.ts';
import { endpoints, environmentOf, functionsOf, type FunctionOfStack } from './functions.ts';
import { openGateway, type Gateway, type Hooks } from './gateway.ts';
import { Authorizer, type UsedGrant } from './iam/authorizer.ts';
import { FunctionPool } from './lambda/pool.ts';
import { memoryOfEach, poolNamed, warm } from './lambda/pools.ts';
import { KmsKey } from './kms/key.ts';
import { KmsService } from './kms/service.ts';
import { LambdaService } from './lambda/service.ts';
import { LogFile } from './log-file.ts';
import { offlineModel } from './offline-model/offline-model.ts';
import type { MessagesServer } from './offline-model/server.ts';
import { checkCallers } from './permissions.ts';
import { arn, place } from './place.ts';
import { ObjectStore } from './s3/store.ts';
import { S3Service, type Bucket } from './s3/service.ts';
import { SchedulerService } from './scheduler/service.ts';
import { runSchedules, schedulesOf, type Schedule } from './schedules.ts';
import { SecretsService, type Secret } from './secrets.ts';
import { loadLibrary, Machine } from './states/execution.ts';
import { StatesService } from './states/service.ts';
import { secretArn } from './template/identity.ts';
import { Stack } from './template/stack.ts';
import { list, record, text, type Template } from './template/template.ts';
import type { Principal } from './wire.ts';

export interface HostOptions {
  readonly data_dir: string;
  /** 0 takes any port that is free. @default 0 */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** The value of the admin key's secret. */
  readonly admin_key: string;
  /** Without it the offline model answers. */
  readonly model?: { readonly api_key: string; readonly base_url?: string };
  readonly clock?: HostClock;
  /** Change the template before it runs: a test removes a grant, or shortens a timeout. */
  readonly template?: (template: Template) => Template;
  /** In place of the synthesized app: a test's own small template. */
  readonly assembly?: Assembly;
  readonly hooks?: Hooks;
  /** Load each function before it is asked for. @default true */
  readonly is_warmed?: boolean;
  /** Called with a sentence for whatever takes longer than two seconds or went wrong unattended. */
  readonly progress?: Progress;
}

/** Where and as whom a test's own AWS client calls: the administrator, whom no policy binds. */
export interface AwsAccess {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Host {
  readonly base_url: string;
  readonly aws: AwsAccess;
  /** Credentials of a function, to call AWS as it would. @throws Error for an unknown name */
  awsAs(function_name: string): AwsAccess;
  readonly clock: HostClock;
  /** Folder with one log file for each function, and one for the machines. */
  readonly logs: string;
  /** What the template's outputs are. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Settles when the reconcile function of the start has answered. */
  readonly reconciled: Promise<void>;
  /** Settles when all functions are loaded that are to be. */
  readonly warmed: Promise<void>;
  counters(): Counters;
  /** Each action on a resource that the template grants, and whether anything done so far needed it. */
  grants(): UsedGrant[];
  resetCounters(): void;
  /** Bytes that each function's largest environment holds now, without Node's own. */
  functionMemory(): Promise<Record<string, number>>;
  /** Executions that run now. */
  running(): number;
  /** Kill a function's workers: what runs in them fails with `Runtime.ExitError`. */
  kill(function_name: string): Promise<void>;
  /** Call a function directly. */
  invoke(function_name: string, event: unknown, tenant_id?: string): Promise<unknown>;
  /** Let the host's clock jump: waits, retries, schedules and TTL on the way fall due. */
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** DynamoDB deletes expired items within days; who reads must look at the time itself. A sweep reads the whole table. */
const sweep_ms = 6 * 3_600_000;
const admin_access_key = 'AKIAREVERIELOCALHOST';

const administrator: Principal = {
  role_arn: undefined,
  session: 'host',
  function_name: 'host',
  secret: 'local',
};

/** Everything that is open and must be closed, in the order of opening. */
type Closing = (() => Promise<unknown> | void)[];

/**
 * Run the template on this machine. @throws BootError in a sentence for a person, when the template, the
 * platform, the data folder or the address does not allow it; nothing is left open then.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const closing: Closing = [];
  const close = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- the last opened closes first
    for (const step of closing.splice(0).toReversed()) await step();
  };
  try {
    return await boot(options, closing, close);
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function boot(
  options: HostOptions,
  closing: Closing,
  close: () => Promise<void>,
): Promise<Host> {
  const progress = options.progress ?? (() => undefined);
  const data = await takeDataDir(options.data_dir);
  closing.push(() => data.release());
  const assembly = options.assembly ?? (await loadAssembly(progress));
  const template = options.template?.(structuredClone(assembly.template)) ?? assembly.template;
  const stack = new Stack(template);
  const clock = options.clock ?? new HostClock();
  closing.push(() => clock.stop());
  const base = { stack, clock, authorizer: new Authorizer(stack), counting: new Counting(), data };
  // All that can be wrong with the template is said before anything is opened for it.
  const api = apiOf(stack);
  const schedules = schedulesOf(stack);
  const functions = functionsOf(stack, assembly, clock);
  checkCallers(stack, { ...api, schedules, authorizer: base.authorizer });
  const storage = await openStorage(base, closing);
  const model = await openModel(options, closing);
  const secrets = new SecretsService(secretsOf(stack, options, model));
  const compute = await openCompute({ ...base, functions, options, storage, secrets }, closing);
  const { pools } = compute;
  const front = await openFront(
    { ...base, ...api, responses: new GatewayResponses(stack), pools },
    options.host ?? '127.0.0.1',
    options.port ?? 0,
  );
  closing.push(() => front.close());
  // Now, while the first functions load in threads of their own. What is wrong with it an execution tells.
  void loadLibrary().catch(() => undefined);
  const warmed = warm(options.is_warmed === false ? [] : pools);
  const complain = (sentence: string): void => progress(sentence);
  closing.push(runSchedules(schedules, { ...base, pools, complain }));
  return hostOf({ ...base, functions, schedules, front, compute, warmed, close, complain });
}

interface Base {
  readonly stack: Stack;
  readonly clock: HostClock;
  readonly authorizer: Authorizer;
  readonly counting: Counting;
  readonly data: DataDir;
}

interface Storage {
  readonly dynamodb: DynamoService;
  readonly buckets: readonly Bucket[];
}

async function openStorage(
  { stack, clock, authorizer, counting, data }: Base,
  closing: Closing,
): Promise<Storage> {
  const engine = await startEngine(data.path);
  closing.push(() => engine.stop());
  const client = clientOf(engine.url);
  const tables = await createTables(client, stack);
  const dynamodb = new DynamoService(engine, tables, authorizer, counting);
  const buckets = await Promise.all(
    stack.all('AWS::S3::Bucket').map(async ({ name, properties }) => {
      const store = new ObjectStore(join(data.path, 'buckets', name));
      await store.open();
      return { name, store, kms_key_arn: bucketKey(properties) };
    }),
  );
  const sweep = async (): Promise<void> => {
    clock.after(sweep_ms, sweep);
    await dynamodb.withoutCache(async () => {
      // An engine that is just being restarted is swept the next time.
      const swept = tables.map((table) => sweepExpired(client, table, clock.now()));
      await Promise.allSettled(swept);
    });
  };
  clock.after(sweep_ms, sweep);
  return { dynamodb, buckets };
}

function bucketKey(properties: Record<string, unknown>): string | undefined {
  const [rule] = list(record(properties['BucketEncryption'])['ServerSideEncryptionConfiguration']);
  const key = record(record(rule)['ServerSideEncryptionByDefault'])['KMSMasterKeyID'];
  return kmsArn(key);
}

/** A key is named by its ARN or by its id. */
function kmsArn(key: unknown): string | undefined {
  if (typeof key !== 'string') return undefined;
  return key.startsWith('arn:') ? key : arn('kms', `key/${key}`);
}

interface Model {
  readonly api_key: string;
  readonly base_url?: string;
}

async function openModel({ model }: HostOptions, closing: Closing): Promise<Model> {
  if (model !== undefined) return model;
  const server: MessagesServer = await offlineModel();
  closing.push(() => server.close());
  return { api_key: 'offline', base_url: server.url };
}

/** The two secrets are found by who refers to them; any other one is as it says. */
function secretsOf(stack: Stack, { admin_key }: HostOptions, model: Model): Secret[] {
  const variables = stack
    .all('AWS::Lambda::Function')
    .map(({ properties }) => record(record(properties['Environment'])['Variables']));
  const named = (variable: string): Set<unknown> =>
    new Set(variables.map((each) => each[variable]));
  const models = named('MODEL_SECRET_ARN');
  const admins = named('ADMIN_KEY_SECRET_ARN');
  return stack.all('AWS::SecretsManager::Secret').map(({ name, properties }) => {
    const secret_arn = secretArn(name);
    const own = admins.has(secret_arn) ? admin_key : text(properties['SecretString'] ?? '', name);
    const value = models.has(secret_arn) ? JSON.stringify(model) : own;
    return { arn: secret_arn, name, value, kms_key_arn: kmsArn(properties['KmsKeyId']) };
  });
}

interface Compute {
  readonly gateway: Gateway;
  readonly pools: readonly FunctionPool[];
  readonly states: StatesService;
}

interface ComputeParts extends Base {
  readonly functions: readonly FunctionOfStack[];
  readonly options: HostOptions;
  readonly storage: Storage;
  readonly secrets: SecretsService;
}

async function openCompute(parts: ComputeParts, closing: Closing): Promise<Compute> {
  const { stack, clock, authorizer, counting, data, functions, storage } = parts;
  // Filled below: the gateway must listen before a function can be told where.
  const pools: FunctionPool[] = [];
  const log = new LogFile(join(data.logs, 'machines.log'));
  closing.push(() => once(log.end(), 'close'));
  const machines = stack.all('AWS::StepFunctions::StateMachine').map(machineOf);
  const states = new StatesService({ machines, pools, clock, authorizer, counting, log });
  const kms = stack.all('AWS::KMS::Key').map(({ id }) => {
    return KmsKey.open(join(data.path, 'kms'), id, arn('kms', `key/${id}`));
  });
  const complain = (sentence: string): void => parts.options.progress?.(sentence);
  const scheduler = new SchedulerService(stack, { pools, clock, authorizer, complain }, data.path);
  const services = {
    kms: new KmsService(await Promise.all(kms)),
    dynamodb: storage.dynamodb,
    s3: new S3Service(storage.buckets, clock, authorizer),
    secretsmanager: parts.secrets,
    states,
    scheduler,
    lambda: new LambdaService(pools),
  };
  const principals = new Map<string, Principal>(
    functions.map(({ access_key, principal }) => [access_key, principal]),
  );
  principals.set(admin_access_key, administrator);
  const crash = (name: string): void => void poolNamed(pools, name).kill();
  const hooks = parts.options.hooks ?? {};
  const gateway = await openGateway({ services, principals, authorizer, counting, hooks, crash });
  closing.push(() => gateway.close());
  for (const each of functions) {
    const environment = environmentOf(each, gateway.url);
    pools.push(new FunctionPool({ ...each, environment }, counting, data.logs));
  }
  closing.push(async () => {
    scheduler.stop();
    states.abortAll();
    await Promise.all(pools.map((pool) => pool.stop()));
  });
  return { gateway, pools, states };
}

function machineOf({ id, name, properties }: ReturnType<Stack['one']>): Machine {
  const substitutions = record(properties['DefinitionSubstitutions']);
  const definition = text(properties['DefinitionString'], id).replaceAll(
    /\$\{(\w+)\}/g,
    (whole, key: string) => (key in substitutions ? text(substitutions[key], id) : whole),
  );
  const role_arn = text(properties['RoleArn'], id);
  return new Machine({ arn: arn('states', `stateMachine:${name}`), name, role_arn }, definition);
}

function apiOf(stack: Stack) {
  const api = stack.one('AWS::ApiGateway::RestApi');
  const stage = stack.one('AWS::ApiGateway::Stage').name;
  return { api_id: api.id, stage, routes: new Routes(stack, api), isBinary: binaryTypes(api) };
}

interface HostParts extends Base {
  readonly functions: readonly FunctionOfStack[];
  readonly schedules: readonly Schedule[];
  readonly front: Front;
  readonly compute: Compute;
  readonly warmed: Promise<void>;
  readonly close: () => Promise<void>;
  readonly complain: (sentence: string) => void;
}

function hostOf(parts: HostParts): Host {
  const { stack, clock, counting, data, functions, front, compute } = parts;
  const { gateway, pools, states } = compute;
  const access = (accessKeyId: string, secretAccessKey: string): AwsAccess => ({
    endpoint: endpoints(gateway.url)['AWS_ENDPOINT_URL_S3'] ?? gateway.url,
    region: place.region,
    credentials: { accessKeyId, secretAccessKey },
  });
  const invoke = async (name: string, event: unknown, tenant_id?: string): Promise<unknown> => {
    const options = tenant_id === undefined ? {} : { tenant_id };
    const outcome = await poolNamed(pools, name).invoke(JSON.stringify(event), options).outcome;
    if (outcome.ok) return JSON.parse(outcome.body);
    throw Object.assign(new Error(outcome.error.errorMessage), { name: outcome.error.errorType });
  };
  return {
    base_url: front.url,
    aws: access(admin_access_key, 'local'),
    awsAs: (name) => {
      const found = functions.find(({ short_name }) => short_name === name);
      if (found === undefined) throw new Error(`There is no function ${name}.`);
      return access(found.access_key, found.principal.secret);
    },
    clock,
    logs: data.logs,
    outputs: stack.outputs,
    reconciled: reconcile(parts, invoke),
    warmed: parts.warmed,
    counters: () => counting.snapshot(),
    resetCounters: () => counting.reset(),
    functionMemory: async () => await memoryOfEach(pools),
    grants: () => parts.authorizer.grants(),
    running: () => states.running,
    kill: (name) => poolNamed(pools, name).kill(),
    invoke,
    advance: (ms) => clock.advance(ms),
    stop: parts.close,
  };
}

/**
 * Executions ended with the host that ran them. The function that finds lost ones once a minute is told
 * at the start that none is too young, unless nobody has been here before.
 */
async function reconcile(
  { compute, schedules, complain, data }: HostParts,
  invoke: (name: string, event: unknown) => Promise<unknown>,
): Promise<void> {
  if (data.is_new) return;
  const healing = schedules.filter(({ input }) => input.includes('min_age_seconds'));
  const pools = healing.flatMap(({ function_arn }) =>
    compute.pools.filter(({ settings }) => settings.arn === function_arn),
  );
  for (const { settings } of pools) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- there is one
      await invoke(settings.short_name, { min_age_seconds: 0 });
    } catch (cause) {
      complain(`Reconciling failed: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
}
