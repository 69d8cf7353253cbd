/**
 * Least privilege, shown by use. Method: a day and an evening with every feature are lived on the local
 * host, which judges each call by the template's policies and notes which grant alone allowed it. Take
 * that one away and the call is refused, so what no call needed is either named below or fails here.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Template } from '../../infra/local/template/template.ts';
import { record } from '../../infra/local/template/template.ts';
import { startRig, type Rig } from '../rig.ts';
import { withSlowReconcile } from '../slow-reconcile.ts';
import { liveADay, type Day } from '../upgrades/day.ts';
import { itemsOf } from '../upgrades/record.ts';
import { dieInAStep } from './dying-step.ts';
import { liveAnEvening } from './evening.ts';
import { Meddler } from './meddler.ts';

let rig: Rig;
let day: Day;
const meddler = new Meddler();
beforeAll(async () => {
  rig = await startRig({ hooks: meddler.hooks, template: inAHurry });
  day = await liveADay(rig);
}, 300_000);
afterAll(async () => await rig.close());

/** Versions of memories expire in a day, and reconcile comes when it is called. */
function inAHurry(template: Template): Template {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const variables = record(record(Properties?.['Environment'])['Variables']);
    if ('MEMORY_VERSION_DAYS' in variables) variables['MEMORY_VERSION_DAYS'] = '1';
  }
  return withSlowReconcile(template);
}

/** What only AWS itself can need, with the page that asks for it. */
const of_aws: readonly (readonly [grants: RegExp, reason: string])[] = [
  [
    /^Logs logs:(CreateLogStream|PutLogEvents)$/,
    'Lambda writes the log of a function as its role.',
  ],
  [/^ xray:Put(TraceSegments|TelemetryRecords)$/, 'Lambda and Step Functions send traces.'],
  [/^ xray:GetSampling(Rules|Targets)$/, 'Step Functions asks which executions to trace.'],
  [
    /^ logs:(\w+LogDelivery|ListLogDeliveries|\w+ResourcePolic(y|ies)|DescribeLogGroups)$/,
    'Step Functions delivers the log of a machine, and documents these eight.',
  ],
  [
    /^Key kms:(DescribeKey|Encrypt|ReEncrypt(From|To)|Decrypt|GenerateDataKey)$/,
    'DynamoDB documents these as the least for a table under a key of the customer; the engine here has none.',
  ],
  [
    /^\w+ s3:DeleteObject$/,
    'S3 documents it for DeleteObjects beside DeleteObjectVersion, also where only versions are named.',
  ],
];

test('every row that is written says how it is laid out', async () => {
  const items = await itemsOf(rig.host);
  expect(items.length).toBeGreaterThan(200);
  const odd = items.filter(({ schema }) => schema?.N !== '1');
  expect(odd.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`)).toEqual([]);
});

test('every grant of the template is needed by a call, or by AWS for a reason', async () => {
  await liveAnEvening(rig, day, meddler);
  await dieInAStep(rig);
  expect(meddler.waiting).toBe(0);
  const grants = rig.host.grants();
  expect(grants.length).toBeGreaterThan(200);
  const idle = grants.filter(({ is_needed }) => !is_needed);
  const nameOf = ({ sid, action }: (typeof idle)[number]): string => `${sid} ${action}`;
  const unexplained = idle.filter((each) => !of_aws.some(([known]) => known.test(nameOf(each))));
  expect(unexplained.map((each) => `${each.role}: ${nameOf(each)} @ ${each.resource}`)).toEqual([]);
  // A reason that has nothing to excuse any more is taken away.
  const excused = of_aws.filter(([known]) => idle.some((each) => known.test(nameOf(each))));
  expect(excused).toEqual(of_aws);
}, 300_000);
