/** The template's values as they would be in the account, and what stops a start. */
import { expect, test } from 'vitest';
import { contextHere } from '../../infra/local/assembly.ts';
import { Resolver } from '../../infra/local/template/resolve.ts';
import { Stack } from '../../infra/local/template/stack.ts';
import { storage } from './fixture.ts';

const template = {
  Resources: storage,
  Parameters: { Size: { Default: 'small' } },
  Conditions: {
    IsSmall: { 'Fn::Equals': [{ Ref: 'Size' }, 'small'] },
    IsLarge: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Size' }, 'small'] }] },
  },
  Mappings: { Sizes: { small: { mib: 128 } } },
};

test.each<[value: unknown, resolved: unknown]>([
  [{ Ref: 'AWS::Region' }, 'us-east-1'],
  [{ Ref: 'Rows' }, 'Rows'],
  [{ Ref: 'Content' }, 'content'],
  [{ Ref: 'Size' }, 'small'],
  [{ 'Fn::GetAtt': ['Rows', 'Arn'] }, 'arn:aws:dynamodb:us-east-1:123456789012:table/Rows'],
  [{ 'Fn::GetAtt': 'Content.Arn' }, 'arn:aws:s3:::content'],
  [{ 'Fn::Join': ['-', ['a', { Ref: 'Rows' }]] }, 'a-Rows'],
  [
    { 'Fn::Sub': '${Content.Arn}/${!x}/${AWS::AccountId}' },
    'arn:aws:s3:::content/${x}/123456789012',
  ],
  [{ 'Fn::Sub': ['${a}', { a: { Ref: 'Rows' } }] }, 'Rows'],
  [{ 'Fn::Select': [1, ['a', 'b']] }, 'b'],
  [{ 'Fn::Select': [0, { 'Fn::Split': ['/', 'a/b'] }] }, 'a'],
  [{ 'Fn::If': ['IsSmall', 1, 2] }, 1],
  [{ 'Fn::If': ['IsLarge', 1, 2] }, 2],
  [{ 'Fn::FindInMap': ['Sizes', { Ref: 'Size' }, 'mib'] }, 128],
  [
    { a: 1, b: { Ref: 'AWS::NoValue' }, c: [{ Ref: 'AWS::NoValue' }, 2] },
    { a: 1, c: [2] },
  ],
  // The policy field, not an intrinsic function.
  [{ Condition: { Bool: {} } }, { Condition: { Bool: {} } }],
])('%j is %j', (value, resolved) => {
  expect(new Resolver(template).resolve(value)).toEqual(resolved);
});

test.each<[why: string, resources: object, message: RegExp]>([
  ['a type', { Q: { Type: 'AWS::Kinesis::Stream' } }, /resource type AWS::Kinesis::Stream of Q/],
  [
    'a property',
    { T: { Type: 'AWS::DynamoDB::Table', Properties: { StreamSpecification: {} } } },
    /property StreamSpecification of T \(AWS::DynamoDB::Table\)/,
  ],
  [
    'an attribute',
    {
      ...storage,
      B: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: { Bucket: { 'Fn::GetAtt': ['Content', 'Colour'] } },
      },
    },
    /attribute Colour of Content/,
  ],
  [
    'a function',
    { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Cidr': [] } } } },
    /does not know Fn::Cidr/,
  ],
  [
    'a name',
    { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'Gone' } } } },
    /no resource Gone/,
  ],
])('%s that the host does not know stops the start by name', (_, resources, message) => {
  expect(() => new Stack({ Resources: resources as never })).toThrow(message);
});

test('a resource whose condition does not hold is not there', () => {
  const Resources = { B: { Type: 'AWS::S3::Bucket', Condition: 'IsLarge' } };
  expect(new Stack({ ...template, Resources }).all('AWS::S3::Bucket')).toEqual([]);
});

test('what cdk.json sets for the account alone keeps no host from starting or speaking to its model', () => {
  const account = { 'reverie:domain_name': 'a.example.com', 'reverie:model_provider': 'bedrock' };
  const both = { 'reverie:memories_max': 5, 'cli-telemetry': false };
  expect(contextHere({ ...account, ...both })).toEqual(both);
});
