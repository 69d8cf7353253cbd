/**
 * When a schedule is due, and what EventBridge Scheduler is told. Method: tables of known moments, and for
 * the words of EventBridge any expression at all, read back by the local host's own reader of AWS's
 * dialect, which must come to the same moments.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultOfZone } from '#shared/core/time-zone.ts';
import { isDue, nextDue, parseCron } from '#shared/schedules/cron.ts';
import { EXPRESSION_CHARS_MAX, eventBridgeExpressions } from '#shared/schedules/event-bridge.ts';
import { nextDue as nextOfAws } from '../../../infra/local/schedules.ts';

function converted(expression: string): string[] {
  const fields = parseCron(expression);
  return 'fault' in fields ? [fields.fault] : eventBridgeExpressions(fields);
}

test.each<[expression: string, aws: string[]]>([
  ['0 3 * * *', ['cron(0 3 * * ? *)']],
  ['*/15 * * * *', ['cron(0,15,30,45 * * * ? *)']],
  ['5-20/5 8-18/2 * * *', ['cron(5,10,15,20 8,10,12,14,16,18 * * ? *)']],
  ['0 2 1 * *', ['cron(0 2 1 * ? *)']],
  ['0 2 1,15,31 JAN-MAR *', ['cron(0 2 1,15,31 1-3 ? *)']],
  // The week of AWS begins with Sunday as 1; POSIX has Sunday as 0 and as 7.
  ['0 2 * * 0', ['cron(0 2 ? * 1 *)']],
  ['0 2 * * 7', ['cron(0 2 ? * 1 *)']],
  ['0 2 * * sun', ['cron(0 2 ? * 1 *)']],
  ['0 2 * * 6', ['cron(0 2 ? * 7 *)']],
  ['0 2 * * MON-FRI', ['cron(0 2 ? * 2-6 *)']],
  ['0 2 * * 5-7', ['cron(0 2 ? * 1,6-7 *)']],
  ['0 2 * * 0-7', ['cron(0 2 ? * * *)']],
  // Both days named: one of them is enough.
  ['0 2 13 * 5', ['cron(0 2 13 * ? *)', 'cron(0 2 ? * 6 *)']],
  ['0 2 1-31 * 1', ['cron(0 2 * * ? *)', 'cron(0 2 ? * 2 *)']],
  ['0 2 */10 2 SAT,SUN', ['cron(0 2 1,11,21,31 2 ? *)', 'cron(0 2 ? 2 1,7 *)']],
])('%s is %j for EventBridge', (expression, aws) => {
  expect(converted(expression)).toEqual(aws);
});

test.each<[expression: string, says: RegExp]>([
  ['', /has 1 fields. Write five/],
  ['0 3 * *', /has 4 fields/],
  ['0 0 3 * * *', /has 6 fields/],
  ['@daily', /has 1 fields/],
  ['0 3 L * *', /'L' is no field/],
  ['0 3 1W * *', /'1W' is no field/],
  ['0 3 * * 1#2', /'1#2' is no field/],
  ['0 3 ? * 1', /'\?' is no field/],
  ['0 24 * * *', /cannot be read. .*hour/],
  ['60 3 * * *', /cannot be read/],
  ['0 3 0 * *', /cannot be read/],
  ['0 3 * 13 *', /cannot be read/],
  ['0 3 * * 8', /cannot be read/],
  ['5/15 3 * * *', /cannot be read/],
  ['*/0 3 * * *', /cannot be read/],
  ['0 3 * * FRI-MON', /cannot be read/],
  ['0 3 30 2 *', /never comes/],
])('%j is refused and says why', (expression, says) => {
  const fields = parseCron(expression);
  expect('fault' in fields ? fields.fault : 'taken').toMatch(says);
});

test.each<[zone: string, says: RegExp | undefined]>([
  ['Europe/Berlin', undefined],
  ['Asia/Kolkata', undefined],
  ['America/Argentina/Buenos_Aires', undefined],
  ['Etc/GMT+5', undefined],
  ['UTC', undefined],
  ['europe/berlin', /must be written as 'Europe\/Berlin'/],
  ['+05:30', /is no IANA/],
  ['Mars/Base', /is no IANA/],
  ['', /is no IANA/],
])('the zone %j', (zone, says) => {
  const fault = faultOfZone(zone);
  if (says === undefined) expect(fault).toBeUndefined();
  else expect(fault).toMatch(says);
});

describe('when clocks are changed', () => {
  test.each<[name: string, zone: string, expression: string, [from: string, ...due: string[]]]>([
    [
      'a time that the night does not have is left out, north',
      'Europe/Berlin',
      '30 2 * * *',
      [
        '2026-03-28T00:00:00Z',
        '2026-03-28T01:30:00Z',
        '2026-03-30T00:30:00Z',
        '2026-03-31T00:30:00Z',
      ],
    ],
    [
      'a time that the night has twice comes once, north',
      'Europe/Berlin',
      '30 2 * * *',
      [
        '2026-10-24T00:00:00Z',
        '2026-10-24T00:30:00Z',
        '2026-10-25T00:30:00Z',
        '2026-10-26T01:30:00Z',
      ],
    ],
    [
      'left out, south',
      'Australia/Sydney',
      '15 2 * * *',
      [
        '2026-10-02T15:00:00Z',
        '2026-10-02T16:15:00Z',
        '2026-10-04T15:15:00Z',
        '2026-10-05T15:15:00Z',
      ],
    ],
    [
      'once, south',
      'Australia/Sydney',
      '15 2 * * *',
      [
        '2026-04-03T12:00:00Z',
        '2026-04-03T15:15:00Z',
        '2026-04-04T15:15:00Z',
        '2026-04-05T16:15:00Z',
      ],
    ],
    [
      'by half an hour',
      'Australia/Lord_Howe',
      '15 2 * * *',
      [
        '2026-10-02T12:00:00Z',
        '2026-10-02T15:45:00Z',
        '2026-10-04T15:15:00Z',
        '2026-10-05T15:15:00Z',
      ],
    ],
    [
      'each hour: three in the morning follows one, and two comes once',
      'America/New_York',
      '0 * * * *',
      [
        '2026-11-01T04:00:00Z',
        '2026-11-01T04:00:00Z',
        '2026-11-01T05:00:00Z',
        '2026-11-01T07:00:00Z',
      ],
    ],
    [
      'a zone of half an hour, without summer time',
      'Asia/Kolkata',
      '0 3 * * *',
      ['2026-03-28T00:00:00Z', '2026-03-28T21:30:00Z', '2026-03-29T21:30:00Z'],
    ],
    [
      'a day that is not there at all',
      'Pacific/Apia',
      '0 12 * * *',
      [
        '2011-12-29T00:00:00Z',
        '2011-12-29T22:00:00Z',
        '2011-12-30T22:00:00Z',
        '2011-12-31T22:00:00Z',
      ],
    ],
  ])('%s', (_, timezone, expression, [from, ...due]) => {
    const found = nextDue({ expression, timezone }, Date.parse(from), due.length);
    expect(found.map((at) => at.toISOString().replace('.000Z', 'Z'))).toEqual(due);
    // The local host reads what EventBridge is told, and is right about the same nights.
    const about = { name: 'x', function_arn: '', role_arn: undefined, input: '', timezone };
    const [aws = ''] = converted(expression);
    let at = new Date(Date.parse(from) - 1);
    for (const moment of due) {
      at = nextOfAws({ ...about, expression: aws }, at) ?? at;
      expect(at.toISOString().replace('.000Z', 'Z')).toBe(moment);
    }
  });
});

const field = (min: number, max: number): fc.Arbitrary<string> => {
  const number = fc.integer({ min, max });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.integer({ min: 1, max: max - min });
  const one = fc.oneof(
    number.map(String),
    range,
    fc.tuple(range, step).map(([of, by]) => `${of}/${by}`),
    step.map((by) => `*/${by}`),
  );
  return fc.oneof(
    fc.constant('*'),
    fc.array(one, { minLength: 1, maxLength: 4 }).map((all) => all.join(',')),
  );
};

const expressions = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '));

test('EventBridge comes to the same moments, whatever is named', () => {
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata');
  const from = fc.date({
    min: new Date('2026-01-01'),
    max: new Date('2027-12-31'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(expressions, zones, from, (expression, timezone, start) => {
      const aws = converted(expression);
      if (aws.some((text) => text.length > EXPRESSION_CHARS_MAX)) return;
      const about = { name: 'x', function_arn: '', role_arn: undefined, input: '', timezone };
      let at = start;
      for (const moment of nextDue({ expression, timezone }, start.getTime() + 1, 5)) {
        const next = aws.flatMap((each) => nextOfAws({ ...about, expression: each }, at) ?? []);
        at = new Date(Math.min(...next.map((each) => each.getTime())));
        expect(at).toEqual(moment);
        expect(isDue({ expression, timezone }, at.getTime())).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('what is due is due in its minute and in no other', () => {
  const nightly = { expression: '30 2 * * *', timezone: 'Europe/Berlin' };
  expect(isDue(nightly, Date.parse('2026-07-01T00:30:59Z'))).toBe(true);
  expect(isDue(nightly, Date.parse('2026-07-01T00:31:00Z'))).toBe(false);
  expect(isDue(nightly, Date.parse('2026-07-01T02:30:00Z'))).toBe(false);
  // Both rounds of an hour that is there twice.
  expect(isDue(nightly, Date.parse('2026-10-25T00:30:00Z'))).toBe(true);
  expect(isDue(nightly, Date.parse('2026-10-25T01:30:00Z'))).toBe(true);
});

test('no text at all breaks the reader', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d*,/\-LW#?a-z ]{0,40}$/)), (text) => {
      const fields = parseCron(text);
      if ('fault' in fields) expect(fields.fault).toMatch(/\.$/);
      else expect(eventBridgeExpressions(fields).length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});
