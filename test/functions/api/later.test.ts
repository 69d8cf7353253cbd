import { expect, test } from 'vitest';
import type { Request } from '#shared/door/route.ts';
import { later } from '../../../functions/api/later.ts';

const ask = {} as Request;
let loads = 0;
const load = async () => {
  loads += 1;
  if (loads === 1) throw new Error('too many open files');
  return { 'GET /v1/agents': async () => ({ status: 200, body: loads }) };
};

test('routes that could not be loaded are tried again; what was loaded is kept', async () => {
  const routes = later(['GET /v1/agents'], load);
  expect(loads).toBe(0);
  await expect(routes['GET /v1/agents'](ask)).rejects.toThrow('too many open files');
  expect(await routes['GET /v1/agents'](ask)).toEqual({ status: 200, body: 2 });
  expect(await routes['GET /v1/agents'](ask)).toEqual({ status: 200, body: 2 });
});
