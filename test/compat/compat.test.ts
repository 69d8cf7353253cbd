import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { routes } from '../../shared/routes.ts';
import { operations } from './operations.ts';
import { compatibility, sameAs, type Compatibility } from './table.ts';

/** Issue 2, section 7. Another SDK may have another count: then this number is what to look at. */
const OPERATIONS = 112;

test(`the installed SDK has ${OPERATIONS} Managed Agents operations, each with its own route`, () => {
  const names = operations().map(({ method, path }) => `${method} ${path}`);
  expect(names).toHaveLength(OPERATIONS);
  expect(new Set(names).size).toBe(OPERATIONS);
});

test('every operation is a method that the client has', () => {
  const client = new Anthropic({ apiKey: 'none' });
  const missing = operations().filter(({ call }) => {
    const keys = call.split('.').slice(1);
    const found = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], client);
    return typeof found !== 'function';
  });
  expect(missing).toEqual([]);
});

test('every route of ours is one of the SDK or stands under /v1/reverie', () => {
  expect(compatibility().own.filter((name) => !name.includes(' /v1/reverie/'))).toEqual([]);
});

test('what is implemented are the routes of the SDK that we have', () => {
  const { implemented, own } = compatibility();
  const distinct = new Set(Object.keys(routes).map(sameAs));
  expect(implemented).toBe(distinct.size - own.length);
});

const program = fileURLToPath(new URL('compat.ts', import.meta.url));
const run = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  await promisify(execFile)(process.execPath, [program, ...args]);

test('--json is for programs and a pipe gets no colour', async () => {
  const [json, plain] = await Promise.all([run('--json'), run()]);
  expect((JSON.parse(json.stdout) as Compatibility).total).toBe(OPERATIONS);
  expect(plain.stdout).toContain(`of ${OPERATIONS} operations`);
  expect(plain.stdout).not.toContain('\u001b[');
});

test('an unknown flag shows the help and exits with 2', async () => {
  await expect(run('--jason')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--markdown') as string,
  });
});
