/** What happens by itself: schedules and the end of items, over simulated days. */
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { HostClock } from '../../infra/local/clock.ts';
import type { Host } from '../../infra/local/host.ts';
import { arn } from '../../infra/local/place.ts';
import { nextDue } from '../../infra/local/schedules.ts';
import { aFunction, allow, attribute, echo, role, startRig, storage, trusting } from './fixture.ts';

const tick = `const got = [];
export const handler = async (event) => { if (!event.read) got.push({ ...event, at: Date.now() }); return got; };`;

const schedule = (ScheduleExpression: string, input: object) => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: {
    FlexibleTimeWindow: { Mode: 'OFF' },
    ScheduleExpression,
    Target: {
      Arn: attribute('Tick'),
      RoleArn: attribute('ClockRole'),
      Input: JSON.stringify(input),
    },
  },
});

const scheduled = {
  ...role('Tick'),
  ...aFunction('Tick', tick),
  ...role('Clock', allow('lambda:InvokeFunction', attribute('Tick'))),
};

test('a jump to a wait of a fraction of a millisecond leaves whole ones: ids are made of them', async () => {
  const clock = new HostClock();
  let fired = 0;
  clock.after(4_792.4792, () => void (fired += 1));
  await clock.advance(10_000);
  clock.stop();
  expect(fired).toBe(1);
  expect(Number.isInteger(clock.now_ms())).toBe(true);
});

test('over a day each schedule fires when it should, and the function sees that time', async () => {
  const clock = new HostClock(new Date('2026-11-21T12:00:00Z'));
  const rig = await startRig(
    {
      ...scheduled,
      Hourly: schedule('rate(1 hour)', { of: 'rate' }),
      Nightly: schedule('cron(30 2 * * ? *)', { of: 'cron' }),
      Reconcile: schedule('rate(2 days)', { min_age_seconds: 60 }),
    },
    { clock },
  );
  const told = async (host: Host): Promise<Record<string, unknown>[]> =>
    (await host.invoke('tick', { read: true })) as Record<string, unknown>[];
  try {
    await rig.host.reconciled;
    await rig.host.advance(24 * 3_600_000 + 1_000);
    const got = await told(rig.host);
    expect(got.filter(({ of }) => of === 'rate')).toHaveLength(24);
    const [nightly, ...more] = got.filter(({ of }) => of === 'cron');
    expect(more).toEqual([]);
    const at = new Date(Number(nightly?.['at'])).toISOString();
    expect(at).toMatch(/^2026-11-22T02:30:0/);
    // Nobody can have left anything on a new folder. A second host calls the reconcile function at its
    // start, and tells it that nothing is too young.
    expect(got.filter((event) => 'min_age_seconds' in event)).toEqual([]);
    await rig.host.stop();
    const second = await rig.again();
    await second.reconciled;
    expect((await told(second)).map((event) => event['min_age_seconds'])).toEqual([0]);
    await second.stop();
  } finally {
    await rig.stop();
  }
});

test('a schedule or an API without the permission to call its function stops the start', async () => {
  const poor = { ...scheduled, ...role('Clock'), Hourly: schedule('rate(1 hour)', {}) };
  await expect(startRig(poor)).rejects.toThrow(
    /schedule Hourly has no permission to invoke .*Tick/,
  );
  const closed = startRig(
    { ...role('Echo'), ...aFunction('Echo', echo) },
    {
      template: (template) => {
        delete template.Resources['EchoPermission'];
        return template;
      },
    },
  );
  await expect(closed).rejects.toThrow(/API has no permission to invoke .*Echo/);
});

test.each([
  ['of another group', 'scheduler.amazonaws.com', 'schedule-group/other'],
  ['of another service', 'states.amazonaws.com', 'schedule-group/default'],
])('a schedule whose role trusts schedules %s stops the start', async (_, service, group) => {
  const of_group = { StringEquals: { 'aws:SourceArn': arn('scheduler', group) } };
  const Properties = trusting(service, of_group);
  const wary = {
    ...scheduled,
    ClockRole: { Type: 'AWS::IAM::Role', Properties },
    Hourly: schedule('rate(1 hour)', {}),
  };
  await expect(startRig(wary)).rejects.toThrow(
    /role\/ClockRole of the schedule Hourly does not let scheduler.amazonaws.com assume it/,
  );
});

test('items whose time has come are deleted, others are not, in a table of more than one page', async () => {
  const rig = await startRig(storage);
  try {
    const db = new DynamoDBClient(rig.host.aws);
    const seconds = Math.floor(rig.host.clock.now_ms() / 1000);
    const put = (pk: string, expires: number) =>
      db.send(
        new PutItemCommand({
          TableName: 'Rows',
          Item: {
            pk: { S: pk },
            sk: { S: 's' },
            expires_at: { N: String(expires) },
            bulk: { S: 'x'.repeat(300_000) },
          },
        }),
      );
    const there = async (pk: string) => {
      const Key = { pk: { S: pk }, sk: { S: 's' } };
      const { Item } = await db.send(new GetItemCommand({ TableName: 'Rows', Key }));
      return Item !== undefined;
    };
    const soon = Array.from({ length: 8 }, (_, n) => `soon ${n}`);
    const all = [...soon, 'later'];
    await Promise.all(soon.map(async (pk) => await put(pk, seconds + 60)));
    await put('later', seconds + 86_400);
    expect(await Promise.all(all.map(there))).toEqual(all.map(() => true));
    await rig.host.advance(6 * 3_600_000);
    expect(await Promise.all(all.map(there))).toEqual(all.map((pk) => pk === 'later'));
  } finally {
    await rig.stop();
  }
});

const now = new Date('2026-11-21T12:00:00Z'); // a Saturday

test.each<[expression: string, timezone: string, due: string | undefined]>([
  ['rate(1 minute)', 'UTC', '2026-11-21T12:01:00.000Z'],
  ['rate(2 days)', 'UTC', '2026-11-23T12:00:00.000Z'],
  ['cron(0 3 * * ? *)', 'UTC', '2026-11-22T03:00:00.000Z'],
  ['cron(0 3 * * ? *)', 'America/New_York', '2026-11-22T08:00:00.000Z'],
  ['cron(0 3 ? * 1 *)', 'UTC', '2026-11-22T03:00:00.000Z'],
  ['cron(0 3 ? * MON-FRI *)', 'UTC', '2026-11-23T03:00:00.000Z'],
  ['cron(0/15 * * * ? *)', 'UTC', '2026-11-21T12:15:00.000Z'],
  ['cron(0 3 * * ? 2025)', 'UTC', undefined],
  ['at(2026-11-22T00:00:00)', 'UTC', '2026-11-22T00:00:00.000Z'],
  ['at(2026-11-20T00:00:00)', 'UTC', undefined],
])('%s in %s is next due at %s', (expression, timezone, due) => {
  const about = { name: 'x', function_arn: '', role_arn: undefined, input: '{}' };
  expect(nextDue({ ...about, expression, timezone }, now)?.toISOString()).toBe(due);
});

test('an expression that is none of these stops the start', () => {
  const about = {
    name: 'x',
    group: 'default',
    function_arn: '',
    role_arn: undefined,
    input: '{}',
    timezone: 'UTC',
  };
  expect(() => nextDue({ ...about, expression: 'rate(0 hours)' }, now)).toThrow(/schedule rate\(0/);
});
