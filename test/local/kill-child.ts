/** A host as a process of its own, so that a test can kill it: its template runs a machine to a row. */
import { allow, aFunction, assemblyOf, attribute, role, smallest, storage } from './fixture.ts';
import { startHost } from '../../infra/local/host.ts';

const [, , data_dir = '', assets = ''] = process.argv;

const client = `import { DynamoDBClient, GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
const db = new DynamoDBClient(), sfn = new SFNClient(), TableName = process.env.TABLE_NAME;
const put = (pk, sk) => db.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, sk: { S: sk } } }));
const has = async (pk, sk) => (await db.send(new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: sk } } }))).Item !== undefined;
const start = (name) => sfn.send(new StartExecutionCommand({ stateMachineArn: process.env.MACHINE, name, input: JSON.stringify({ name }) }));`;

const echo = `${client}
export const handler = async (event) => {
  const name = event.path.slice(1);
  if (event.httpMethod === 'POST') { await put(name, 'running'); await start(name); }
  return { statusCode: 200, body: JSON.stringify({ begun: await has(name, 'begun'), done: await has(name, 'done') }) };
};`;

const step = `${client}
export const handler = async ({ name, part }) => { await put(name, part); return { name }; };`;

const reconcile = `${client}
export const handler = async () => {
  const { Items } = await db.send(new ScanCommand({ TableName }));
  for (const { pk, sk } of Items) if (sk.S === 'running' && !(await has(pk.S, 'done'))) await start(pk.S);
};`;

const task = (part: string, Next: string) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: '${Step}', Payload: { 'name.$': '$.name', part } },
  ResultPath: null,
  Next,
});

const rows = allow(['dynamodb:*'], attribute('Rows'));
const begin = allow('states:StartExecution', { Ref: 'Machine' });
const environment = {
  Environment: { Variables: { TABLE_NAME: { Ref: 'Rows' }, MACHINE: { Ref: 'Machine' } } },
};

const host = await startHost({
  data_dir,
  admin_key: 'admin',
  assembly: await assemblyOf(
    {
      ...smallest,
      ...storage,
      ...role('Echo', rows, begin),
      ...aFunction('Echo', echo, environment),
      ...role('Step', rows),
      ...aFunction('Step', step, { Environment: { Variables: { TABLE_NAME: { Ref: 'Rows' } } } }),
      ...role('Reconcile', rows, begin),
      ...aFunction('Reconcile', reconcile, environment),
      ...role('Machine', allow('lambda:InvokeFunction', attribute('Step'))),
      ...role('Clock', allow('lambda:InvokeFunction', attribute('Reconcile'))),
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          DefinitionString: JSON.stringify({
            StartAt: 'Begin',
            States: {
              Begin: task('begun', 'Wait'),
              Wait: { Type: 'Wait', Seconds: 2, Next: 'End' },
              End: task('done', 'Done'),
              Done: { Type: 'Succeed' },
            },
          }),
          DefinitionSubstitutions: { Step: attribute('Step') },
          RoleArn: attribute('MachineRole'),
        },
      },
      Schedule: {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          FlexibleTimeWindow: { Mode: 'OFF' },
          ScheduleExpression: 'rate(1 hour)',
          Target: {
            Arn: attribute('Reconcile'),
            RoleArn: attribute('ClockRole'),
            Input: '{"min_age_seconds":60}',
          },
        },
      },
    },
    assets,
  ),
});
process.stdout.write(`${host.base_url}\n`);
