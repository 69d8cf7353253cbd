import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
  type CreateScheduleCommandInput,
} from '@aws-sdk/client-scheduler';
import { awsDefaults } from '../core/aws-defaults.ts';
import { limits } from '../core/limits.ts';
import type { Timer, Timers } from './timers.ts';

export interface SchedulerPlace {
  /** Schedule group of the stack. */
  readonly group: string;
  /** What the timers call. */
  readonly function_arn: string;
  /** The role by which they do. */
  readonly role_arn: string;
}

/** Timers in EventBridge Scheduler. Endpoint, region and credentials come from Lambda's environment. */
export class SchedulerTimers implements Timers {
  readonly #scheduler: SchedulerClient;
  readonly #place: SchedulerPlace;

  constructor(place: SchedulerPlace, client = new SchedulerClient(awsDefaults)) {
    this.#place = place;
    this.#scheduler = client;
  }

  async put(name: string, timer: Timer): Promise<void> {
    const input = this.#inputOf(name, timer);
    if (await this.#update(input)) return;
    try {
      await this.#scheduler.send(new CreateScheduleCommand(input));
    } catch (error) {
      // Somebody else, or an earlier try of ours, has made it meanwhile: then it can be updated.
      if (!(error instanceof ConflictException)) throw error;
      await this.#update(input);
    }
  }

  /** @returns false where there is none */
  async #update(input: CreateScheduleCommandInput): Promise<boolean> {
    try {
      await this.#scheduler.send(new UpdateScheduleCommand(input));
      return true;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    try {
      const { group } = this.#place;
      await this.#scheduler.send(new DeleteScheduleCommand({ Name: name, GroupName: group }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    }
  }

  #inputOf(name: string, timer: Timer): CreateScheduleCommandInput {
    const { group, function_arn, role_arn } = this.#place;
    return {
      Name: name,
      GroupName: group,
      Description: timer.description,
      ScheduleExpression: timer.expression,
      ScheduleExpressionTimezone: timer.timezone,
      State: timer.is_enabled ? 'ENABLED' : 'DISABLED',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: function_arn,
        RoleArn: role_arn,
        Input: JSON.stringify(timer.input),
        // After this reconcile sees that it has not come, and makes it good.
        RetryPolicy: {
          MaximumRetryAttempts: limits.timer_retries_max,
          MaximumEventAgeInSeconds: limits.timer_event_age_max_s,
        },
      },
    };
  }
}
