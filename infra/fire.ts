import { Duration, Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import type { DreamMachine } from './dream-machine.ts';
import {
  allow,
  give,
  indexes,
  key,
  objectDeletes,
  objects,
  objectVersions,
  rowChecks,
  rowReads,
  rows,
  rowWrites,
  star,
  type Grant,
} from './grants.ts';
import { NodeFunction } from './node-function.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';
import { schedulesOf } from './trust.ts';

export interface FireProps {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly dreams: DreamMachine;
}

/**
 * What schedules do by themselves: makes their timers, in a group of the stack's own, and is called by
 * them; chooses sessions, starts dreams, and keeps house in their stores. The one function that may
 * touch EventBridge Scheduler.
 */
export class Fire extends NodeFunction {
  constructor(scope: Construct, id: string, { settings, storage, dreams }: FireProps) {
    const group = `${settings.stack_name}-dreams`;
    const role = new Role(scope, 'TimerRole', {
      assumedBy: schedulesOf(scope, group),
      description: `${settings.stack_name}: timers start the fire function`,
    });
    super(scope, id, {
      room: 'fire',
      description: 'Starts scheduled dreams, and keeps the timers that call it',
      settings,
      timeout_s: limits.fire_timeout_s,
      memory_mib: limits.fire_memory_mib,
      environment: {
        TABLE_NAME: storage.table.tableName,
        BUCKET_NAME: storage.bucket.bucketName,
        DREAM_MACHINE_ARN: dreams.arn,
        TIMER_GROUP: group,
        TIMER_ROLE_ARN: role.roleArn,
        MEMORIES_MAX: String(settings.memories_max),
        MEMORY_VERSION_DAYS: String(settings.memory_version_days),
      },
      grants: [
        rows(storage, [...rowReads, ...rowWrites, rowChecks]),
        indexes(storage, 'list'),
        objects(storage, 'memory_stores', ['s3:GetObject', 's3:PutObject', ...objectDeletes]),
        objectVersions(storage, ['memory_stores']),
        // What a dream proposes, whose review expires; what outcomes asked for.
        objects(storage, 'dreams', ['s3:GetObject']),
        objects(storage, 'sessions', ['s3:GetObject']),
        key(storage, 'write'),
        dreams.start(),
        timers(scope, group),
        allow('TimerRole', ['iam:PassRole'], [role.roleArn], {
          StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
        }),
      ],
    });
    new CfnScheduleGroup(this, 'Timers', { name: group });
    give(role, [allow('Fire', ['lambda:InvokeFunction'], [this.function.functionArn])]);
    this.function.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.seconds(limits.timer_event_age_max_s),
    });
  }

  /** Telling it of a schedule. */
  invoke(): Grant {
    return allow('Fire', ['lambda:InvokeFunction'], [this.function.functionArn]);
  }
}

/** The timers of this group; they are named by the ids of their schedules. */
function timers(scope: Construct, group: string): Grant {
  const { partition, region, account } = Stack.of(scope);
  const actions = ['CreateSchedule', 'UpdateSchedule', 'DeleteSchedule'].map(
    (action) => `scheduler:${action}`,
  );
  const place = (of: string, where: string, who: string): string =>
    `arn:${of}:scheduler:${where}:${who}:schedule/${group}/*`;
  return {
    ...allow('Timers', actions, [place(partition, region, account)]),
    wildcard: {
      id: star(place('<AWS::Partition>', '<AWS::Region>', '<AWS::AccountId>')),
      reason: 'Timers of this group alone; they are named when a schedule is made.',
    },
  };
}
