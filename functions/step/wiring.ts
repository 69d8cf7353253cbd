import { Logger } from '@aws-lambda-powertools/logger';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { KmsCipher } from '#shared/core/cipher-kms.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { optional, required } from '#shared/core/env.ts';
import { newId, newName } from '#shared/core/id.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { openModel, parseModelIds } from '#shared/models/open-model.ts';
import { parseProvider } from '#shared/models/provider.ts';
import { parsePrices } from '#shared/models/prices.ts';
import { providerSearch, providerSearches } from '#shared/models/search.ts';
import { judgeWith } from '#shared/permissions/judge.ts';
import { bringRepository } from '#shared/resources/bring-repository.ts';
import { publicGitHub } from '#shared/resources/github-archive.ts';
import { systemDialer } from '#shared/tools/public-fetch.ts';
import { makeToolRunner } from '#shared/tools/runner.ts';
import { LambdaSandbox } from '#shared/tools/sandbox-lambda.ts';
import { apiSearch, SearchSecret } from '#shared/tools/search-api.ts';
import { StepFunctionsRuns } from '#shared/sessions/runs-sfn.ts';
import type { Task } from '#shared/task/task.ts';
import { ManifestCache } from '#shared/transcripts/manifest-cache.ts';
import { runTurn } from '#shared/turn/run-turn.ts';
import type { StepSize, TurnPorts } from '#shared/turn/turn-ports.ts';

const secrets = new AwsSecrets();
const table = new DynamoTable(required('TABLE_NAME'));
const blobs = new S3Blobs(required('BUCKET_NAME'));
const provider = parseProvider(required('MODEL_PROVIDER'));
const model = openModel({
  provider,
  secrets,
  secret_arn: required('MODEL_SECRET_ARN'),
  model_ids: parseModelIds(optional('MODEL_IDS')),
});

/** The provider's own tool where it has one, else the configured API, else none. */
function searchOf() {
  if (providerSearches(provider)) return providerSearch(model);
  const secret_arn = optional('SEARCH_SECRET_ARN');
  if (secret_arn === undefined) return undefined;
  return apiSearch(systemDialer, async () =>
    SearchSecret.parse(JSON.parse(await secrets.read(secret_arn))),
  );
}

/** Nothing of it is loaded where no endpoint is configured. */
async function spansOf(): Promise<Pick<TurnPorts, 'spans'>> {
  const endpoint = optional('OTLP_ENDPOINT');
  if (endpoint === undefined) return {};
  const { HeadersSecret, otlpSink } = await import('#shared/traces/otlp.ts');
  const secret_arn = optional('OTLP_HEADERS_SECRET_ARN');
  const headers = async () =>
    secret_arn === undefined ? {} : HeadersSecret.parse(JSON.parse(await secrets.read(secret_arn)));
  const name = provider === 'bedrock' ? 'aws.bedrock' : 'anthropic';
  return { spans: { sink: otlpSink({ endpoint, headers }), provider: name } };
}

const search = searchOf();
const sandbox = new LambdaSandbox(required('SANDBOX_FUNCTION_NAME'));
const tools = makeToolRunner({
  table,
  blobs,
  clock: systemClock,
  newId,
  newName,
  memories_max: Number(required('MEMORIES_MAX')),
  version_days: Number(required('MEMORY_VERSION_DAYS')),
  sandbox,
  dialer: systemDialer,
  ...(search === undefined ? {} : { search }),
});

/** The machine names itself in what it sends: its name cannot stand in the function that it calls. */
const machines = new Map<string, StepFunctionsRuns>();

function runsOf(machine_arn: string): StepFunctionsRuns {
  const runs = machines.get(machine_arn) ?? new StepFunctionsRuns(machine_arn);
  machines.set(machine_arn, runs);
  return runs;
}

const ports: Omit<TurnPorts, 'observe' | 'runs'> = {
  table,
  blobs,
  clock: systemClock,
  newId,
  model,
  tools,
  bringRepository: bringRepository({
    github: { dialer: systemDialer, ...publicGitHub },
    cipher: new KmsCipher(required('KEY_ARN')),
    blobs,
    files: tools.files,
    sandbox,
  }),
  judge: judgeWith(model),
  prices: parsePrices(optional('PRICES')),
  search: search !== undefined,
  contexts: new Map(),
  manifests: new ManifestCache(),
  transcript_days: Number(required('TRANSCRIPT_DAYS')),
  sources: new Map(),
  is_large: required('STEP_SIZE') === ('large' satisfies StepSize),
  random: Math.random,
  ...(await spansOf()),
};

export const step: Task = {
  name: 'step',
  work: async (observe, input, time_ms) => {
    const runs = runsOf(input.machine ?? '');
    return await runTurn({ ...ports, observe, runs }, input, time_ms);
  },
  logger: new Logger(),
};
