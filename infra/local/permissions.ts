import type { Routes } from './api/routes.ts';
import { BootError } from './boot-error.ts';
import type { Assuming, Authorizer } from './iam/authorizer.ts';
import { matches } from './iam/pattern.ts';
import { arn } from './place.ts';
import { assuming, type Schedule } from './schedules.ts';
import type { Stack } from './template/stack.ts';
import { text } from './template/template.ts';

interface Asked {
  readonly api_id: string;
  readonly stage: string;
  readonly routes: Routes;
  readonly schedules: readonly Schedule[];
  readonly authorizer: Authorizer;
}

/**
 * Check what AWS would only show at the first request: that the API and the schedules may call their
 * functions, and that whatever has a role is trusted by it. @throws BootError naming who is refused what.
 */
export function checkCallers(stack: Stack, asked: Asked): void {
  const permissions = stack.all('AWS::Lambda::Permission');
  const permitted = (function_arn: string, principal: string, source: string): boolean =>
    permissions.some(({ properties: { FunctionName, Principal, SourceArn, Action } }) => {
      const named =
        FunctionName === function_arn || function_arn.endsWith(`:${String(FunctionName)}`);
      const from =
        SourceArn === undefined || (typeof SourceArn === 'string' && matches(SourceArn, source));
      return named && Principal === principal && Action === 'lambda:InvokeFunction' && from;
    });
  const api = arn('execute-api', `${asked.api_id}/${asked.stage}/GET/path`);
  for (const function_arn of asked.routes.functions()) {
    if (!permitted(function_arn, 'apigateway.amazonaws.com', api)) refuse('The API', function_arn);
  }
  checkTrust(stack, asked);
  for (const { name, function_arn, role_arn } of asked.schedules) {
    const request = { action: 'lambda:InvokeFunction', resource: function_arn, context: {} };
    const may =
      role_arn === undefined
        ? permitted(function_arn, 'events.amazonaws.com', arn('events', `rule/${name}`))
        : asked.authorizer.allows({ role_arn, session: name }, request);
    if (!may) refuse(`The schedule ${name}`, function_arn);
  }
}

/** What AWS refuses when a function, a machine or a schedule is made. */
function checkTrust(stack: Stack, { schedules, authorizer }: Asked): void {
  const check = (who: string, role_arn: unknown, as: Assuming): void => {
    const role = text(role_arn, who);
    if (authorizer.trusts(role, as)) return;
    throw new BootError(`The role ${role} of ${who} does not let ${as.service} assume it.`);
  };
  for (const { id, properties } of stack.all('AWS::Lambda::Function')) {
    check(id, properties['Role'], { service: 'lambda.amazonaws.com', source_arn: undefined });
  }
  for (const { id, name, properties } of stack.all('AWS::StepFunctions::StateMachine')) {
    const source_arn = arn('states', `stateMachine:${name}`);
    check(id, properties['RoleArn'], { service: 'states.amazonaws.com', source_arn });
  }
  for (const { name, group, role_arn } of schedules) {
    if (role_arn !== undefined) check(`the schedule ${name}`, role_arn, assuming(group));
  }
}

function refuse(caller: string, function_arn: string): never {
  throw new BootError(`${caller} has no permission to invoke ${function_arn}.`);
}
