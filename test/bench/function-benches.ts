import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadAssembly } from '../../infra/local/assembly.ts';
import { variables } from '../../shared/core/env.ts';
import { loadedBytes } from '../infra/bundle-size.ts';
import { median } from './measure.ts';
import type { Result } from './result.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: {
    readonly Code?: { readonly S3Key?: string };
    readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  };
}

interface Bundle {
  readonly name: string;
  readonly folder: string;
}

/** What a cold start of each function loads as it is deployed, and the time that this takes. */
export async function benchFunctions(): Promise<Result[]> {
  const results: Result[] = [];
  for (const { name, folder } of await bundles()) {
    const bounds = name === 'api' ? { size: 700, load: 150 } : { load: 250 };
    results.push(
      {
        name: `${name}_bundle_kb`,
        value: loadedBytes(folder) / 1_000,
        unit: 'kB',
        ...atMost(bounds.size),
      },
      {
        name: `${name}_import_ms`,
        value: await importMs(folder),
        unit: 'ms',
        ...atMost(bounds.load),
      },
    );
  }
  return results;
}

const atMost = (at_most: number | undefined) =>
  at_most === undefined ? {} : { target: { at_most } };

/** The bundles of the functions that are ours: CDK's own helpers have no service name. */
async function bundles(): Promise<Bundle[]> {
  const assembly = await loadAssembly(console.error);
  const resources = Object.values(assembly.template.Resources) as unknown as Resource[];
  return resources
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .flatMap(({ Properties: { Code, Environment } }) => {
      const service = Environment?.Variables?.['POWERTOOLS_SERVICE_NAME'];
      const key = Code?.S3Key;
      if (typeof service !== 'string' || key === undefined) return [];
      return [{ name: service.replace(/^.*-/, ''), folder: assembly.asset(key) }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Lambda's own global, that a streaming function calls while it is loaded. */
const RUNTIME = 'globalThis.awslambda = { streamifyResponse: (handler) => handler };';
const PROGRAM = `${RUNTIME}
const started = performance.now();
await import(process.argv[1]);
console.log(performance.now() - started);
process.exit();`;

/** Milliseconds of the import alone, in a new process each time: median of seven. */
async function importMs(folder: string): Promise<number> {
  const dummies = Object.fromEntries(variables.map((name) => [name, '{}']));
  const lambda = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
  const env = { ...process.env, ...dummies, ...lambda, MODEL_PROVIDER: 'anthropic' };
  const args = ['--input-type=module', '-e', PROGRAM, join(folder, 'index.mjs')];
  const times: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    times.push(Number(stdout.trim().split('\n').at(-1)));
  }
  return median(times);
}
