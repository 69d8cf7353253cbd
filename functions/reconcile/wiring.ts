import { Logger } from '@aws-lambda-powertools/logger';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { systemClock } from '#shared/core/clock.ts';
import { required } from '#shared/core/env.ts';
import { StepFunctionsExecutions } from '#shared/core/executions-sfn.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import { LambdaFiring } from '#shared/dream-schedules/firing-lambda.ts';
import { StepFunctionsRuns } from '#shared/sessions/runs-sfn.ts';
import type { Wiring } from './reconcile.ts';

export const wiring: Wiring = {
  ports: {
    table: new DynamoTable(required('TABLE_NAME')),
    blobs: new S3Blobs(required('BUCKET_NAME')),
    clock: systemClock,
    runs: new StepFunctionsRuns(required('SESSION_MACHINE_ARN')),
    dreams: new StepFunctionsExecutions(required('DREAM_MACHINE_ARN')),
    firing: new LambdaFiring(required('FIRE_FUNCTION_NAME')),
  },
  logger: new Logger(),
};
