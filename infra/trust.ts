import { ArnFormat, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * Services that may assume a role, each for what this account has made of it and for nobody else's. Both
 * document what they send along; Lambda does not, so its roles have no condition that might never hold.
 */

/** EventBridge Scheduler, for schedules of one group: it sends the group, and never the schedule. */
export function schedulesOf(scope: Construct, group: string): ServicePrincipal {
  const source = Stack.of(scope).formatArn({
    service: 'scheduler',
    resource: 'schedule-group',
    resourceName: group,
  });
  return new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { ...account(scope), 'aws:SourceArn': source } },
  });
}

/** Step Functions, for state machines: a machine of its own would be a circle, since it names its role. */
export function stateMachines(scope: Construct): ServicePrincipal {
  const source = Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  return new ServicePrincipal('states.amazonaws.com', {
    conditions: { StringEquals: account(scope), ArnLike: { 'aws:SourceArn': source } },
  });
}

function account(scope: Construct): Readonly<Record<string, string>> {
  return { 'aws:SourceAccount': Stack.of(scope).account };
}
