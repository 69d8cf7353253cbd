import { expect, test } from 'vitest';
import { routes, type RouteName } from '#shared/routes.ts';
import { operations } from '../compat/operations.ts';

/** The list of routes: what it says must follow from the method, and be spelled as the SDK does. */

const names = Object.keys(routes) as RouteName[];
const ours = names.filter((name) => name.includes(' /v1/reverie/'));

test.each(names.filter((name) => !ours.includes(name)))('%s is an operation of the SDK', (name) => {
  const known = operations().map(({ method, path }) => `${method} ${path}`);
  // Older documentation has a PATCH where the SDK has a POST.
  expect(known).toContain(name.replace(/^PATCH /, 'POST '));
});

test.each(names)('%s asks for the scope that its method means', (name) => {
  const admin = name.includes('/reverie/api_keys');
  const scope = admin ? 'admin' : name.startsWith('GET ') ? 'read' : 'write';
  expect(routes[name].scope).toBe(scope);
});

test('what ends in /stream is streamed', () => {
  const streams = names.filter((name) => name.endsWith('/stream')).map((name) => routes[name]);
  expect(streams).toHaveLength(2);
  expect(streams.every((rule) => 'served_by' in rule && rule.served_by === 'stream')).toBe(true);
});
