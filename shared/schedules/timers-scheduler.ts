import { escapeUri } from '@smithy/core/protocols';
import {
  AwsCaller,
  bytesOf,
  isRefused,
  type AwsPlace,
  type AwsRequest,
} from '../core/aws-caller.ts';
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
  readonly #scheduler: AwsCaller;
  readonly #own: SchedulerPlace;

  constructor(own: SchedulerPlace, place?: AwsPlace) {
    this.#scheduler = new AwsCaller('scheduler', place);
    this.#own = own;
  }

  async put(name: string, timer: Timer): Promise<void> {
    const body = JSON.stringify(this.#inputOf(timer));
    if (await this.#done(name, { method: 'PUT', body }, 'ResourceNotFoundException')) return;
    // Somebody else, or an earlier try of ours, has made it meanwhile: then it can be updated.
    if (await this.#done(name, { method: 'POST', body }, 'ConflictException')) return;
    await this.#done(name, { method: 'PUT', body }, 'ResourceNotFoundException');
  }

  async remove(name: string): Promise<void> {
    const query = { groupName: this.#own.group };
    await this.#done(name, { method: 'DELETE', query }, 'ResourceNotFoundException');
  }

  /** Source: the API reference of EventBridge Scheduler. @returns false where it said `unless` */
  async #done(name: string, request: AwsRequest, unless: string): Promise<boolean> {
    const headers = { 'content-type': 'application/json' };
    const path = `/schedules/${escapeUri(name)}`;
    try {
      await this.#scheduler.send(
        { ...request, path, headers },
        async ({ body }) => await bytesOf(body),
      );
      return true;
    } catch (error) {
      if (isRefused(error, unless)) return false;
      throw error;
    }
  }

  #inputOf(timer: Timer): object {
    const { group, function_arn, role_arn } = this.#own;
    return {
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
