import { Logger } from '@aws-lambda-powertools/logger';
import { systemClock } from '#shared/core/clock.ts';
import { required } from '#shared/core/env.ts';
import { StepFunctionsExecutions } from '#shared/core/executions-sfn.ts';
import { newId, newName } from '#shared/core/id.ts';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { DynamoTable } from '#shared/core/table-dynamo.ts';
import type { FirePorts } from '#shared/dream-schedules/fire.ts';
import { SchedulerTimers } from '#shared/schedules/timers-scheduler.ts';
import type { Wiring } from './fire-task.ts';

const logger = new Logger();

const fixed: Omit<FirePorts, 'timers'> = {
  table: new DynamoTable(required('TABLE_NAME')),
  blobs: new S3Blobs(required('BUCKET_NAME')),
  clock: systemClock,
  newId,
  newName,
  dreams: new StepFunctionsExecutions(required('DREAM_MACHINE_ARN')),
  startLost: (error) => logger.error('a dream was not started', { error: error as Error }),
  memories_max: Number(required('MEMORIES_MAX')),
  version_days: Number(required('MEMORY_VERSION_DAYS')),
};

const place = { group: required('TIMER_GROUP'), role_arn: required('TIMER_ROLE_ARN') };

let made: Wiring | undefined;

/** Made once: the ARN is the same for as long as the container lives. */
export function wiringOf(function_arn: string): Wiring {
  made ??= { ports: { ...fixed, timers: new SchedulerTimers({ ...place, function_arn }) }, logger };
  return made;
}
