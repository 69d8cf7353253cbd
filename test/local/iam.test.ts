/**
 * Who may do what. Method: tables of requests against policies, judged as IAM does: a deny wins, else
 * one allow is needed; and what DynamoDB asks IAM for each of its requests.
 */
import { expect, test } from 'vitest';
import { permissionsOf } from '../../infra/local/dynamodb/authorize.ts';
import { Authorizer } from '../../infra/local/iam/authorizer.ts';
import type { RequestContext } from '../../infra/local/iam/conditions.ts';
import { matches } from '../../infra/local/iam/pattern.ts';
import { arn } from '../../infra/local/place.ts';
import { Stack } from '../../infra/local/template/stack.ts';
import { allow, role, trusting } from './fixture.ts';

const table = arn('dynamodb', 'table/Rows');
const caller = { role_arn: arn('iam', 'role/WorkRole'), session: 'Work' };

function decide(
  statements: object[],
  action: string,
  resource: string,
  context: RequestContext = {},
) {
  const authorizer = new Authorizer(new Stack({ Resources: role('Work', ...statements) }));
  return authorizer.allows(caller, { action, resource, context });
}

const get = 'dynamodb:GetItem';
const deny = (Action: string, Resource: unknown = '*'): object => ({
  Effect: 'Deny',
  Action,
  Resource,
});
const prefix = (value: string): RequestContext => ({ 's3:prefix': [value] });
const listing = 's3:ListBucket';

test.each<[why: string, statements: object[], of: string, allowed: boolean]>([
  ['nothing is allowed by nothing', [], table, false],
  ['the action and the resource', [allow(get, table)], table, true],
  ['another action', [allow('dynamodb:PutItem', table)], table, false],
  ['another resource', [allow(get, `${table}2`)], table, false],
  ['a wildcard action', [allow('dynamodb:Get*', table)], table, true],
  ['an action in another case', [allow('DYNAMODB:getitem', table)], table, true],
  ['a wildcard resource', [allow(get, arn('dynamodb', 'table/*'))], table, true],
  ['a table is not its index', [allow(get, table)], `${table}/index/list`, false],
  ['a deny over an allow', [allow('*'), deny(get)], table, false],
  ['a deny of something else', [allow('*'), deny('s3:*')], table, true],
  ['NotAction', [{ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }], table, true],
  ['NotAction hit', [{ Effect: 'Allow', NotAction: 'dynamodb:*', Resource: '*' }], table, false],
  ['NotResource', [{ Effect: 'Allow', Action: '*', NotResource: table }], table, false],
])('%s', (_, statements, resource, allowed) => {
  expect(decide(statements, get, resource)).toBe(allowed);
});

test.each<[condition: object, context: RequestContext, allowed: boolean]>([
  [{ StringEquals: { 's3:prefix': 'a/' } }, prefix('a/'), true],
  [{ StringEquals: { 's3:prefix': 'a/' } }, prefix('b/'), false],
  [{ StringEquals: { 's3:prefix': 'a/' } }, {}, false],
  [{ StringEqualsIfExists: { 's3:prefix': 'a/' } }, {}, true],
  [{ StringEqualsIgnoreCase: { 's3:prefix': 'A/' } }, prefix('a/'), true],
  [{ StringNotEquals: { 's3:prefix': 'a/' } }, prefix('a/'), false],
  [{ StringNotEquals: { 's3:prefix': ['a/', 'c/'] } }, prefix('b/'), true],
  [{ StringLike: { 's3:prefix': ['x/*', 'sessions/*'] } }, prefix('sessions/1/'), true],
  [{ StringLike: { 's3:prefix': 'sessions/*' } }, prefix('sessions'), false],
  [{ StringNotLike: { 's3:prefix': 'sessions/*' } }, prefix('sessions/1'), false],
  [{ ArnLike: { 'aws:SourceArn': 'arn:aws:s3:*' } }, { 'aws:sourcearn': ['arn:aws:s3:::b'] }, true],
  [{ Bool: { 'aws:SecureTransport': 'true' } }, {}, true],
  [{ Bool: { 'aws:SecureTransport': 'false' } }, {}, false],
  [{ Null: { 's3:prefix': 'true' } }, {}, true],
  [{ Null: { 's3:prefix': 'true' } }, prefix('a'), false],
  [{ NumericLessThan: { 's3:TlsVersion': 1.2 } }, {}, false],
  [{ 'ForAllValues:StringEquals': { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': ['a', 'b'] }, true],
  [{ 'ForAllValues:StringEquals': { 's3:prefix': ['a'] } }, { 's3:prefix': ['a', 'b'] }, false],
  [{ 'ForAnyValue:StringEquals': { 's3:prefix': ['a'] } }, { 's3:prefix': ['a', 'b'] }, true],
])('condition %j with %j: %s', (condition, context, allowed) => {
  expect(decide([allow(listing, '*', condition)], listing, '*', context)).toBe(allowed);
});

test.each([
  [{ DateGreaterThan: { 'aws:CurrentTime': 'x' } }, /condition operator DateGreaterThan/],
  [{ StringEquals: { 'dynamodb:Attributes': 'x' } }, /condition key dynamodb:Attributes/],
])('%j stops the start', (condition, message) => {
  expect(() => decide([allow(get, '*', condition)], get, table)).toThrow(message);
});

const states = 'states.amazonaws.com';
const machines = { ArnLike: { 'aws:SourceArn': arn('states', 'stateMachine:*') } };
const here = { StringEquals: { 'aws:SourceAccount': '123456789012' } };

test.each<[why: string, service: unknown, condition: object, by: string[]]>([
  ['the service', states, {}, ['Runs', 'other', 'nothing']],
  ['one of several services', ['lambda.amazonaws.com', states], {}, ['Runs', 'other', 'nothing']],
  ['another service', 'lambda.amazonaws.com', {}, []],
  ['it for what it acts for, here', states, { ...machines, ...here }, ['Runs']],
  ['it for something of this account', states, here, ['Runs', 'other']],
  ['it for another account', states, { StringEquals: { 'aws:SourceAccount': '1' } }, []],
])('a role trusts %s', (_, service, condition, by) => {
  const Resources = {
    Trusting: { Type: 'AWS::IAM::Role', Properties: trusting(service, condition) },
  };
  const authorizer = new Authorizer(new Stack({ Resources }));
  const sources = {
    Runs: arn('states', 'stateMachine:Runs'),
    other: arn('states', 'activity:Runs'),
    nothing: undefined,
  };
  const trusted = Object.entries(sources).filter(([, source_arn]) =>
    authorizer.trusts(arn('iam', 'role/Trusting'), { service: states, source_arn }),
  );
  expect(trusted.map(([name]) => name)).toEqual(by);
});

test('a role of nobody is trusted by nobody', () => {
  const Resources = { Lonely: { Type: 'AWS::IAM::Role', Properties: {} } };
  const as = { service: states, source_arn: undefined };
  expect(new Authorizer(new Stack({ Resources })).trusts(arn('iam', 'role/Lonely'), as)).toBe(
    false,
  );
});

test('a denial is said in AWS’s words', () => {
  const authorizer = new Authorizer(new Stack({ Resources: role('Work') }));
  expect(() => authorizer.check(caller, { action: get, resource: table, context: {} })).toThrow(
    `User: arn:aws:sts::123456789012:assumed-role/WorkRole/Work is not authorized to perform: ${get} on ` +
      `resource: ${table} because no identity-based policy allows the ${get} action`,
  );
});

test('a bucket’s policy can deny what the role allows', () => {
  const resources = {
    ...role('Work', allow('s3:*')),
    Policy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: 'b',
        PolicyDocument: {
          Statement: { ...deny('s3:PutObject', 'arn:aws:s3:::b/*'), Principal: { AWS: '*' } },
        },
      },
    },
  };
  const authorizer = new Authorizer(new Stack({ Resources: resources }));
  const may = (action: string): boolean =>
    authorizer.allows(caller, { action, resource: 'arn:aws:s3:::b/k', context: {} });
  expect([may('s3:PutObject'), may('s3:GetObject')]).toEqual([false, true]);
});

const key = { pk: { S: 'p' }, sk: { S: 's' } };
const judging = { hash_keys: { Rows: 'pk' }, leading_keys: true };

test.each<[operation: string, body: Record<string, unknown>, wanted: string[]]>([
  ['GetItem', { TableName: 'Rows', Key: key }, ['GetItem Rows p']],
  ['PutItem', { TableName: table, Item: key }, ['PutItem Rows p']],
  ['Query', { TableName: 'Rows', IndexName: 'list' }, ['Query Rows/index/list ']],
  [
    'Query',
    {
      TableName: 'Rows',
      KeyConditionExpression: 'begins_with(sk, :s) AND #k = :p',
      ExpressionAttributeNames: { '#k': 'pk' },
      ExpressionAttributeValues: { ':p': { S: 'p' }, ':s': { S: '' } },
    },
    ['Query Rows p'],
  ],
  [
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 'Rows', Item: key } },
        { Update: { TableName: 'Rows', Key: key } },
        { Delete: { TableName: 'Rows', Key: key } },
        { ConditionCheck: { TableName: 'Rows', Key: key } },
      ],
    },
    ['PutItem Rows p', 'UpdateItem Rows p', 'DeleteItem Rows p', 'ConditionCheckItem Rows p'],
  ],
  [
    'TransactGetItems',
    { TransactItems: [{ Get: { TableName: 'Rows', Key: key } }] },
    ['GetItem Rows p'],
  ],
  ['BatchGetItem', { RequestItems: { Rows: { Keys: [key] } } }, ['BatchGetItem Rows p']],
  [
    'BatchWriteItem',
    { RequestItems: { Rows: [{ PutRequest: { Item: key } }, { DeleteRequest: { Key: key } }] } },
    ['BatchWriteItem Rows p,p'],
  ],
])('%s asks IAM for what DynamoDB asks', (operation, body, wanted) => {
  const asked = permissionsOf(operation, body, judging).map(({ action, resource, context }) =>
    [
      action.replace('dynamodb:', ''),
      resource.replace(arn('dynamodb', 'table/'), ''),
      context['dynamodb:leadingkeys'] ?? '',
    ].join(' '),
  );
  expect(asked).toEqual(wanted);
});

test.each([
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a.c', 'abc', false],
  ['*/x', 'a/b/x', true],
  ['[a]', 'a', false],
])('the pattern %s against %s: %s', (pattern, value, matching) => {
  expect(matches(pattern, value)).toBe(matching);
});
