import { expect, test } from 'vitest';
import { wireSchemas } from './schemas.ts';
import { answerErrors, envelopeErrors, expectWire, wireErrors } from './wire.ts';

const environment = {
  id: 'env_1',
  type: 'environment',
  name: 'lab',
  description: '',
  metadata: {},
  scope: 'organization',
  config: { type: 'self_hosted' },
  created_at: '2026-11-21T00:00:00.000Z',
  updated_at: '2026-11-21T00:00:00.000Z',
  archived_at: null,
};
const running = {
  id: 'sevt_1',
  type: 'session.status_running',
  processed_at: '2026-11-21T00:00:00.000Z',
};
const without = (key: string, body: object): object =>
  Object.fromEntries(Object.entries(body).filter(([name]) => name !== key));

const cases: [title: string, type: string, body: unknown, says: RegExp][] = [
  ['a whole body', 'BetaEnvironment', environment, /^$/],
  ['a field too few', 'BetaEnvironment', without('name', environment), /'name'/],
  ['a null left out', 'BetaEnvironment', without('archived_at', environment), /'archived_at'/],
  ['a field too many', 'BetaEnvironment', { ...environment, version: 1 }, /version/],
  ['another type', 'BetaEnvironment', { ...environment, name: 7 }, /\/name/],
  ['null where none is', 'BetaEnvironment', { ...environment, metadata: null }, /\/metadata/],
  [
    'a time in seconds',
    'BetaEnvironment',
    { ...environment, created_at: '1763683200' },
    /\/created_at/,
  ],
  [
    'a local time',
    'BetaEnvironment',
    { ...environment, created_at: '2026-11-21T00:00:00+01:00' },
    /pattern/,
  ],
  [
    'an unknown branch',
    'BetaEnvironment',
    { ...environment, config: { type: 'moon' } },
    /\/config/,
  ],
  ['an event', 'BetaManagedAgentsSessionEvent', running, /^$/],
  ['an event with more', 'BetaManagedAgentsSessionEvent', { ...running, seq: 1 }, /seq/],
  ['an event of no type', 'BetaManagedAgentsSessionEvent', { ...running, type: 'x' }, /tag/],
];

test.each(cases)('%s', (_, type, body, says) => {
  expect(wireErrors(type, body).join('; ')).toMatch(says);
});

test('only the branch of the event speaks, not all the others', () => {
  expect(wireErrors('BetaManagedAgentsSessionEvent', { ...running, seq: 1 })).toHaveLength(1);
});

test('the thrown error shows the fault and the body', () => {
  expect(() => expectWire('BetaEnvironment', { ...environment, version: 1 })).toThrow(
    /version[\s\S]*env_1/,
  );
});

const page = {
  kind: 'page',
  type: 'BetaEnvironment',
  module: 'beta/environments/environments',
} as const;

test.each([
  ['PageCursor', { data: [environment], next_page: null }, 0],
  ['PageCursor', { data: [environment], next_page: 'cursor' }, 0],
  ['PageCursor', { data: [environment] }, 1],
  ['PageCursor', { data: [environment], next_page: '' }, 1],
  ['PageCursor', { data: [environment], next_page: null, prev_page: null }, 1],
  ['PageCursor', { data: [{ ...environment, x: 1 }], next_page: null }, 1],
  ['BidirectionalPageCursor', { data: [], next_page: null, prev_page: null }, 0],
  ['BidirectionalPageCursor', { data: [], next_page: null }, 1],
])('a %s like %j has %i faults', (name, body, faults) => {
  expect(answerErrors({ ...page, page: name }, body)).toHaveLength(faults);
});

test('null answers only what the SDK says may be null', () => {
  const work = {
    kind: 'json',
    type: 'BetaSelfHostedWork',
    module: 'beta/environments/work',
  } as const;
  expect(answerErrors({ ...work, nullable: true }, null)).toEqual([]);
  expect(answerErrors({ ...work, nullable: false }, null)).toHaveLength(1);
});

const error = { type: 'not_found_error', message: 'no such session' };
const conflict = { type: 'memory_path_conflict_error', message: 'taken' };
const in_the_way = { conflicting_memory_id: 'mem_1', conflicting_path: '/a' };
const envelope = { type: 'error', error, request_id: 'req_1' };

test.each([
  ['as it should be', envelope, 0],
  ['with details', { ...envelope, error: { ...error, details: { error_code: 'x' } } }, 0],
  ['with the id of another request', { ...envelope, request_id: 'req_2' }, 1],
  ['with a type of its own', { ...envelope, error: { ...error, type: 'oops' } }, 1],
  ['without the fields of its type', { ...envelope, error: conflict }, 2],
  ['with the fields of its type', { ...envelope, error: { ...conflict, ...in_the_way } }, 0],
  ['with the fields of another', { ...envelope, error: { ...error, ...in_the_way } }, 2],
  ['without a message', { ...envelope, error: { type: 'api_error' } }, 1],
  ['with a stack', { ...envelope, stack: 'at …' }, 1],
])('an error envelope %s', (_, body, faults) => {
  expect(envelopeErrors(body, 'req_1')).toHaveLength(faults);
});

test('schemas that two modules ask for at once are made once', () => {
  expect(wireSchemas()).toBe(wireSchemas());
});
