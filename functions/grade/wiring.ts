import { Logger } from '@aws-lambda-powertools/logger';
import { AwsSecrets } from '#shared/core/aws-secrets.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { optional, required } from '#shared/core/env.ts';
import { newId, newName } from '#shared/core/id.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { Manifests } from '#shared/files/manifest.ts';
import { openModel, parseModelIds } from '#shared/models/open-model.ts';
import { parseProvider } from '#shared/models/provider.ts';
import { parsePrices } from '#shared/models/prices.ts';
import { grade as gradeWith } from '#shared/outcomes/grade.ts';
import { gradedFilesWith } from '#shared/outcomes/graded-files.ts';
import type { GradePorts } from '#shared/outcomes/grading.ts';
import { judgeSession } from '#shared/outcome-reports/judge-session.ts';
import type { Task } from '#shared/task/task.ts';
import { systemDialer } from '#shared/tools/public-fetch.ts';
import { LambdaSandbox } from '#shared/tools/sandbox-lambda.ts';
import { gradeTurn, type GradeTurnPorts } from '#shared/turn/grade-turn.ts';
import { reportRun, type ReportPorts } from '#shared/turn/report-run.ts';

const table = new DynamoTable(required('TABLE_NAME'));
const blobs = new S3Blobs(required('BUCKET_NAME'));
const clock = systemClock;
const prices = parsePrices(optional('PRICES'));

const grading: GradePorts = {
  model: openModel({
    provider: parseProvider(required('MODEL_PROVIDER')),
    secrets: new AwsSecrets(),
    secret_arn: required('MODEL_SECRET_ARN'),
    model_ids: parseModelIds(optional('MODEL_IDS')),
  }),
  files: gradedFilesWith({
    manifests: new Manifests(table, clock),
    blobs,
    clock,
    sandbox: new LambdaSandbox(required('SANDBOX_FUNCTION_NAME')),
  }),
  dialer: systemDialer,
  clock,
  newName,
  prices,
};

const ports: Omit<GradeTurnPorts & ReportPorts, 'observe'> = {
  table,
  blobs,
  clock,
  newId,
  prices,
  contexts: new Map(),
  random: Math.random,
  grade: async (asked, options) => await gradeWith(grading, asked, options),
  judgeSession: async (asked, options) => await judgeSession(grading, asked, options),
};

export const grade: Task = {
  name: 'grade',
  work: async (observe, input, time_ms) => {
    const work = input.report === true ? reportRun : gradeTurn;
    return await work({ ...ports, observe }, input, time_ms);
  },
  logger: new Logger(),
};
