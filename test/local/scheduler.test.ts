/** Schedules that functions make: EventBridge Scheduler's wire, as its own client speaks it. */
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
  ValidationException,
  type CreateScheduleCommandInput,
} from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HostClock } from '../../infra/local/clock.ts';
import { arn } from '../../infra/local/place.ts';
import { aFunction, allow, attribute, role, startRig, trusting, type Rig } from './fixture.ts';

const HOUR_MS = 3_600_000;
const tick = `const got = [];
export const handler = async (event, { invokedFunctionArn }) => {
  if (event.of) got.push(event.of + ' ' + new Date().toISOString().slice(0, 16));
  return { got, arn: invokedFunctionArn, role: process.env.CLOCK };
};`;

let rig: Rig;
let client: SchedulerClient;
let target: { readonly Arn: string; readonly RoleArn: string };

const told = async () =>
  (await rig.host.invoke('tick', {})) as { got: string[]; arn: string; role: string };

beforeAll(async () => {
  const clock_role = role('Clock', allow('lambda:InvokeFunction', attribute('Tick')));
  const of_group = {
    StringEquals: { 'aws:SourceArn': arn('scheduler', 'schedule-group/default') },
  };
  const trusted = trusting('scheduler.amazonaws.com', of_group);
  rig = await startRig(
    {
      ...role('Tick'),
      ...aFunction('Tick', tick, { Environment: { Variables: { CLOCK: attribute('ClockRole') } } }),
      ...clock_role,
      ClockRole: { Type: 'AWS::IAM::Role', Properties: trusted },
      Others: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'others' } },
    },
    // Two hours before Berlin's clocks go back.
    { clock: new HostClock(new Date('2026-10-24T22:00:00Z')) },
  );
  client = new SchedulerClient({ ...rig.host.aws, maxAttempts: 1 });
  const { arn: Arn, role: RoleArn } = await told();
  target = { Arn, RoleArn };
});
afterAll(async () => {
  client.destroy();
  await rig.stop();
});

const wanted = (Name: string, over: object = {}): CreateScheduleCommandInput => ({
  Name,
  ScheduleExpression: 'cron(0 2 * * ? *)',
  FlexibleTimeWindow: { Mode: 'OFF' },
  Target: { ...target, Input: JSON.stringify({ of: Name }) },
  ...over,
});
const create = async (input: CreateScheduleCommandInput) =>
  await client.send(new CreateScheduleCommand(input));

test('a name is taken once; an update replaces all of a schedule, and needs one', async () => {
  const missing = new UpdateScheduleCommand(wanted('nightly'));
  await expect(client.send(missing)).rejects.toBeInstanceOf(ResourceNotFoundException);
  const { ScheduleArn } = await create(
    wanted('nightly', { State: 'DISABLED', Description: 'Old' }),
  );
  expect(ScheduleArn).toMatch(/:schedule\/default\/nightly$/);
  await expect(create(wanted('nightly'))).rejects.toBeInstanceOf(ConflictException);
  await client.send(
    new UpdateScheduleCommand(wanted('nightly', { ScheduleExpressionTimezone: 'Europe/Berlin' })),
  );
  const kept = await client.send(new GetScheduleCommand({ Name: 'nightly' }));
  expect(kept).toMatchObject({ Name: 'nightly', ScheduleExpressionTimezone: 'Europe/Berlin' });
  expect([kept.State, kept.Description]).toEqual(['ENABLED', undefined]);
});

test.each([
  ['a name with a space', { Name: 'a b' }],
  ['an expression that is none', { ScheduleExpression: 'every night' }],
  ['a time zone that does not exist', { ScheduleExpressionTimezone: 'Europe/Atlantis' }],
  ['no window', { FlexibleTimeWindow: {} }],
  ['a flexible window without a length', { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }],
  [
    'a window longer than a day',
    { FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 1_441 } },
  ],
  [
    'a length of a window that is off',
    { FlexibleTimeWindow: { Mode: 'OFF', MaximumWindowInMinutes: 5 } },
  ],
  ['a state that is none', { State: 'PAUSED' }],
  ['a role that there is not', { Target: { Arn: 'arn:a', RoleArn: 'arn:b' } }],
  ['a role that trusts the scheduler for schedules of another group', { GroupName: 'others' }],
])('%s is refused, and nothing is made', async (_, over) => {
  const refused = create(wanted('bad', over as Partial<CreateScheduleCommandInput>));
  await expect(refused).rejects.toBeInstanceOf(ValidationException);
  const look = new GetScheduleCommand({ Name: 'bad' });
  await expect(client.send(look)).rejects.toBeInstanceOf(ResourceNotFoundException);
});

test('a group that the template does not hold is not there', async () => {
  const refused = create(wanted('nightly', { GroupName: 'other' }));
  await expect(refused).rejects.toBeInstanceOf(ResourceNotFoundException);
});

test('each fires by the clock of its zone, and not what is disabled or deleted', async () => {
  await create(
    wanted('flexible', { FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 } }),
  );
  await create(wanted('disabled', { State: 'DISABLED' }));
  await create(wanted('deleted'));
  await client.send(new DeleteScheduleCommand({ Name: 'deleted' }));
  const again = client.send(new DeleteScheduleCommand({ Name: 'deleted' }));
  await expect(again).rejects.toBeInstanceOf(ResourceNotFoundException);
  await rig.host.advance(24 * HOUR_MS);
  // Berlin has that hour twice: the schedule counts it once.
  expect((await told()).got.toSorted()).toEqual([
    'flexible 2026-10-25T02:00',
    'nightly 2026-10-25T00:00',
  ]);
});
