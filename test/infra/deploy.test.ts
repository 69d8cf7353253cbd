/**
 * What `npx cdk deploy` puts into an account, with the locked CLI and without an account. Method: the CLI
 * speaks over the wire to a double of the services that it asks, which refuses what they would refuse. Then
 * the template and the archives that it has uploaded run on this machine, apart from this repository: what a
 * function needs is in its archive, or it is not there.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Assembly } from '../../infra/local/assembly.ts';
import type { Template } from '../../infra/local/template/template.ts';
import { call, say } from '../model/replies.ts';
import { all, message, startRig } from '../rig.ts';
import { Account } from './account/account.ts';
import { parse, type Resource } from './account/template.ts';
import { temporary } from './stack.ts';

// Each command is a process that reads the CDK: seconds, more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const account = new Account();
const outdir = temporary();
let credentials: Readonly<Record<string, string>>;

beforeAll(async () => {
  credentials = await account.open();
});
afterAll(async () => await account.close());

interface Said {
  readonly code: number;
  readonly text: string;
}

/** Run the CLI as one that is installed for all projects runs: with the machine's own Node, maybe an old one. */
async function cdk(...args: string[]): Promise<Said> {
  const bin = join(root, 'node_modules', '.bin');
  const PATH = process.env['PATH']?.split(delimiter).filter((path) => path !== bin);
  const env = {
    ...process.env,
    ...credentials,
    NODE_ENV: '',
    PATH: PATH?.join(delimiter),
    CI: 'true',
  };
  return await new Promise((resolve) => {
    execFile(join(bin, 'cdk'), args, { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr });
    });
  });
}

/** What was uploaded, in place of an assembly on disk. */
function uploaded(): Assembly {
  const folder = temporary();
  return {
    template: account.stacks.templateOf('Reverie') as Template,
    asset: (key) => unpacked(key, join(folder, key)),
  };
}

/** Lambda's quota for a function's code. */
const UNPACKED_BYTES_MAX = 262_144_000;

function unpacked(key: string, folder: string): string {
  const archive = [...account.assets.objects].find(([path]) => path.endsWith(`/${key}`))?.[1];
  const files = Object.entries(unzipSync(archive ?? new Uint8Array()));
  expect(files.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBeLessThan(UNPACKED_BYTES_MAX);
  for (const [path, bytes] of files.filter(([name]) => !name.endsWith('/'))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

test('the app of cdk.json is deployed by one command, which tells where it is', async () => {
  const { code, text } = await cdk('deploy', '--require-approval', 'never', '--output', outdir);
  expect(text).toMatch(/Reverie\.BaseUrl = https?:/);
  for (const name of ['AdminKeySecretArn', 'ModelSecretArn', 'TableName', 'BucketName']) {
    expect(text).toContain(`Reverie.${name} = `);
  }
  expect(code).toBe(0);
  expect(readdirSync(outdir)).toContain('Reverie.template.json');
});

test('what was uploaded answers, works with tools, and needs nothing beside it', async () => {
  const rig = await startRig({ assembly: uploaded() });
  const command = 'python3 -c "print(6 * 7)" | jq .';
  rig.model.on('How much', call('bash', { command }), say('Done.'));
  const id = await rig.session();
  await rig.send(id, message('How much is it?'));
  const events = await rig.rested(id);
  expect(JSON.stringify(all(events, 'agent.tool_result')[0]?.content)).toContain('42');
  await rig.close();
});

test('a second deploy of the same has nothing to do, and the diff says so', async () => {
  const diff = await cdk('diff', '--app', outdir, '--fail');
  expect(diff).toMatchObject({
    code: 0,
    text: expect.stringContaining('no differences') as string,
  });
  const again = await cdk('deploy', '--app', outdir);
  expect(again).toMatchObject({ code: 0, text: expect.stringContaining('(no changes)') as string });
});

test('it is destroyed only when its protection was taken off', async () => {
  const destroy = ['destroy', '--force', '--app', outdir];
  const kept = await cdk(...destroy);
  expect(kept.code).toBe(1);
  expect(kept.text).toContain('cannot be deleted while TerminationProtection is enabled');
  account.stacks.answer(
    'UpdateTerminationProtection',
    new URLSearchParams({ StackName: 'Reverie', EnableTerminationProtection: 'false' }),
  );
  const gone = await cdk(...destroy);
  expect(gone).toMatchObject({ code: 0, text: expect.stringContaining('destroyed') as string });
  expect(() => account.stacks.templateOf('Reverie')).toThrow(/does not exist/);
});

const queue = (...names: string[]) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { Tags: names.map((Ref) => ({ Ref })) },
});
const refusals: [what: string, resources: Record<string, Resource>, message: RegExp][] = [
  ['a circle', { A: queue('B'), B: queue('C'), C: queue('A') }, /^Circular .* \[A, B, C\]$/],
  ['a name that is not there', { A: queue('B', 'AWS::Region') }, /Unresolved .* \[B\]/],
  [
    'more resources than it takes',
    Object.fromEntries(Array.from({ length: 501 }, (_, nth) => [`Q${nth}`, queue()])),
    /501 resources/,
  ],
  ['a larger text than it takes', { A: queue('x'.repeat(1_048_576)) }, /1048576 bytes/],
  ['roles that nobody allowed', { A: { Type: 'AWS::IAM::Role' } }, /\[CAPABILITY_IAM\]/],
];

test.each(refusals)('the double refuses %s, as CloudFormation does', (_, Resources, message) => {
  expect(() => parse(Buffer.from(JSON.stringify({ Resources })), [])).toThrow(message);
});
