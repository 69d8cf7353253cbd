import { Duration } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import type { DreamMachine } from './dream-machine.ts';
import type { Fire } from './fire.ts';
import { NodeFunction } from './node-function.ts';
import type { SessionMachine } from './session-machine.ts';
import type { Settings } from './settings.ts';
import {
  allow,
  give,
  indexes,
  key,
  objectDeletes,
  objects,
  objectVersions,
  rowReads,
  rows,
  rowSweeps,
  rowWrites,
} from './grants.ts';
import type { Storage } from './storage.ts';
import { schedulesOf } from './trust.ts';

export interface ReconcileProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly machine: SessionMachine;
  readonly dreams: DreamMachine;
  readonly fire: Fire;
}

/** What is deleted with its owner, or when its time is over. */
const swept = ['sessions', 'parts', 'transcripts', 'memory_stores', 'files'] as const;

/** Once a minute: finds running sessions and dreams without a live execution, and starts one. */
export class Reconcile extends NodeFunction {
  constructor(scope: Construct, id: string, props: ReconcileProps) {
    const { settings, storage, machine, dreams, fire } = props;
    super(scope, id, {
      room: 'reconcile',
      description: 'Once a minute: restarts sessions and dreams whose execution was lost',
      settings,
      timeout_s: limits.reconcile_timeout_s,
      memory_mib: limits.reconcile_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        SESSION_MACHINE_ARN: machine.arn,
        DREAM_MACHINE_ARN: dreams.arn,
        FIRE_FUNCTION_NAME: fire.function.functionName,
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites, rowSweeps]),
        indexes(storage, 'list', 'running'),
        ...swept.map((prefix) => objects(storage, prefix, objectDeletes)),
        // What dreams have read and nobody may read any longer.
        objects(storage, 'dreams', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objectVersions(storage, [...swept, 'dreams']),
        key(storage, 'write'),
        ...machine.runs(),
        ...dreams.runs(),
        fire.invoke(),
      ],
      // X-Ray samples the first request of each second: all of these, and they would be most of the idle cost.
      traced: false,
    });
    const role = new Role(this, 'ScheduleRole', {
      // A schedule that names no group is in this one.
      assumedBy: schedulesOf(this, 'default'),
      description: `${settings.stack_name}: starts the reconcile function`,
    });
    give(role, [allow('Reconcile', ['lambda:InvokeFunction'], [this.function.functionArn])]);
    new CfnSchedule(this, 'Schedule', {
      description: `${settings.stack_name}: reconcile, once a minute`,
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.function.functionArn,
        roleArn: role.roleArn,
        // Younger sessions are about to be started by whoever made them run.
        input: JSON.stringify({ min_age_seconds: 60 }),
        // A missed minute is made good by the next one: nothing to retry, nothing for a dead-letter queue.
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
    this.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
  }
}
