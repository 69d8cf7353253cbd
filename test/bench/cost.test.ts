import { expect, test } from 'vitest';
import { added, difference, quantitiesOf, scaled, totalDollars } from './cost.ts';

const usage = {
  read_units: 3,
  write_units: 5,
  invocations: 2,
  errors: 0,
  cold_starts: 1,
  milliseconds: 40,
  gigabyte_seconds: 0.02,
};
const counters = {
  state_transitions: 4,
  executions_started: 1,
  api_requests: 2,
  functions: {
    api: {
      ...usage,
      calls: { 'dynamodb:PutItem': 9, 's3:PutObject': 1, 'secretsmanager:GetSecretValue': 1 },
    },
    step: {
      ...usage,
      calls: { 's3:GetObject': 2, 's3:DeleteObject': 7, 's3:ListBucket': 1, 's3:HeadObject': 1 },
    },
  },
};

const counted = {
  state_transition: 4,
  lambda_request: 4,
  lambda_gigabyte_second: 0.04,
  dynamodb_read_unit: 6,
  dynamodb_write_unit: 10,
  s3_write_request: 2,
  s3_read_request: 3,
  api_request: 2,
  secret_request: 1,
};

test('what the host counts becomes what AWS bills', () => {
  expect(quantitiesOf(counters)).toEqual(counted);
});

test('a million transitions cost 25 dollars, and the parts add up', () => {
  const none = scaled(counted, 0);
  expect(totalDollars({ ...none, state_transition: 1e6 })).toBeCloseTo(25);
  expect(totalDollars({ ...none, api_request: 1e6, lambda_request: 1e6 })).toBeCloseTo(3.7);
  expect(difference(added(counted, counted), counted)).toEqual(counted);
});
