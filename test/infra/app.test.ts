/** The app: what it says of settings, and that cdk-nag has nothing left to say of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { expect, test, vi } from 'vitest';
import type { PlatformStack } from '../../infra/platform-stack.ts';
import { synth, temporary } from './stack.ts';

// CDK's rules are compiled once in a process: three seconds of processor, more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the CLI sends no telemetry', () => {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as {
    readonly context: Readonly<Record<string, unknown>>;
  };
  expect(context['cli-telemetry']).toBe(false);
});

test('a setting that is not taken is one sentence', () => {
  const context = JSON.stringify({ 'reverie:log_level': 'LOUD' });
  const env = { ...process.env, CDK_CONTEXT_JSON: context, CDK_OUTDIR: temporary() };
  const app = join(root, 'infra', 'app.ts');
  const { status, stderr } = spawnSync(process.execPath, [app], { env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^context 'reverie:log_level': .*\n$/);
});

const deployments: [name: string, settings: Record<string, unknown>][] = [
  ['the default deployment', {}],
  [
    'one on Bedrock with its own name and topic, made to be thrown away',
    {
      model_provider: 'bedrock',
      removal_policy: 'destroy',
      alarm_email: 'ops@example.com',
      domain_name: 'agents.example.com',
      certificate_arn: 'arn:aws:acm:us-east-1:111122223333:certificate/abc',
    },
  ],
  [
    'one on Claude Platform on AWS with a search secret',
    {
      model_provider: 'claude-platform-aws',
      search_secret_arn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:search-AbCdEf',
    },
  ],
];

test.each(deployments)('cdk-nag and the rules of CDK find nothing in %s', (_, settings) => {
  expect(() => synth(settings, { nag: true })).not.toThrow();
});

test('cdk-nag sees a bucket that somebody adds', () => {
  const plant = { nag: true, plant: (stack: PlatformStack) => void new Bucket(stack, 'Planted') };
  expect(() => synth({}, plant)).toThrow(/AwsSolutions-S10/);
});

test('cdk-nag sees a star that somebody grants', () => {
  const star = new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] });
  const plant = (stack: PlatformStack): void => {
    const role = stack.node.findChild('Sandbox').node.findChild('Role') as Role;
    role.addToPrincipalPolicy(star);
  };
  expect(() => synth({}, { nag: true, plant })).toThrow(/AwsSolutions-IAM5\[Resource::\*\]/);
});

test('every rule that is set aside is set aside for a reason', () => {
  const found: unknown[] = [];
  const plant = (stack: PlatformStack): void => {
    const all = stack.node.findAll().flatMap(({ node }) => node.metadata);
    const ours = all.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY);
    found.push(...ours.map(({ data }) => data as unknown));
  };
  synth({}, { plant });
  const reasons = found.flatMap((rules) => Object.values(rules as Record<string, string>));
  expect(reasons.length).toBeGreaterThan(10);
  expect(reasons.filter((reason) => !/^.{60,}\.$/.test(reason))).toEqual([]);
});
