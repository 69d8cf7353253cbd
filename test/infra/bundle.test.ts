/**
 * The code as it deploys: each bundle loads with what Lambda gives it and nothing else, the API's
 * is small, and the sandbox's packages are whole without this repository around them.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadedBytes } from './bundle-size.ts';
import { docx, pptx, xlsx } from '../shared/outcomes/office.ts';
import { only, synth, temporary } from './stack.ts';

// As on a machine whose new files are their owner's alone.
const umask = process.umask(0o077);
const { template, outdir } = synth({}, { bundled: true });
process.umask(umask);

interface Deployed {
  /** Copy of the asset, outside of the repository: no node_modules above it. */
  readonly folder: string;
  readonly variables: Record<string, string>;
}

const known_later = 'arn:aws:states:us-east-1:111122223333:stateMachine:x';

function deployed(room: string, folder = temporary()): Deployed {
  const { Properties } = only(template, 'AWS::Lambda::Function', `${room}Function`);
  const { S3Key } = Properties['Code'] as { S3Key: string };
  cpSync(join(outdir, `asset.${S3Key.replace('.zip', '')}`), folder, { recursive: true });
  const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
  const known = Object.entries(Variables).map(([name, value]) => [
    name,
    // What only the deploy knows may be any text here, but that a bucket's name is part of a host's.
    typeof value === 'string' ? value : name === 'BUCKET_NAME' ? 'content' : known_later,
  ]);
  return { folder, variables: Object.fromEntries(known) as Record<string, string> };
}

/** Runs a module beside the bundle with Lambda's environment; answers what it printed. */
function run({ folder, variables }: Deployed, source: string): string {
  const file = join(folder, 'probe.mjs');
  // Lambda puts this global in place before it loads a bundle.
  const global =
    'globalThis.awslambda = { streamifyResponse: (handler) => handler, HttpResponseStream: {} };\n';
  writeFileSync(file, `${global}${source}`);
  const env = {
    ...variables,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SESSION_TOKEN: 'test',
    AWS_LAMBDA_FUNCTION_NAME: 'probe',
    PATH: '/usr/bin:/bin',
  };
  return execFileSync(process.execPath, [file], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  }).trim();
}

const rooms = ['Api', 'Memory', 'Stream', 'Step', 'Grade', 'Sandbox', 'Dream', 'Fire', 'Reconcile'];

test.each(rooms)('%s loads with what Lambda gives it, and has a handler', (room) => {
  const source = "const { handler } = await import('./index.mjs'); console.log(typeof handler);";
  expect(run(deployed(room), source).split('\n').at(-1)).toBe('function');
});

test('a cold start of the API loads at most 340 kB; a few chunks wait until they are needed', () => {
  const { folder } = deployed('Api');
  const loaded = loadedBytes(folder);
  expect(loaded).toBeLessThan(340_000);
  const chunks = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const later = chunks.reduce((sum, size) => sum + size, 0) - loaded;
  expect(later).toBeGreaterThan(0);
  // What is asked before and after a conversation, what operators ask for, and the client of the bucket.
  expect(later).toBeLessThan(340_000);
});

test('a cold start for one task of a dream does not load the others', () => {
  expect(loadedBytes(deployed('Dream').folder)).toBeLessThan(380_000);
});

test('whoever Lambda runs a function as may read all of it', () => {
  const files = readdirSync(outdir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes('asset.'))
    .map(({ parentPath, name }) => join(parentPath, name));
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => (statSync(file).mode & 0o444) !== 0o444)).toEqual([]);
});

test('a bundle holds no source map unless asked', () => {
  const names = rooms.flatMap((room) => readdirSync(deployed(room).folder));
  expect(names.filter((name) => name.endsWith('.map'))).toEqual([]);
});

test('ways to find credentials that Lambda does not have are left out of the bundle', () => {
  const { folder } = deployed('Api');
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  expect(text.includes('import("@aws-sdk/credential-provider-sso")')).toBe(true);
});

const commands: [name: string, command: string, prints: string][] = [
  ['bash', 'for i in 1 2 3; do echo -n $((i * i)); done', '149'],
  ['brace expansion', 'echo {a,b}.txt', 'a.txt b.txt'],
  ['awk and sort', "printf 'b 2\\na 1\\n' | sort | awk '{ s += $2 } END { print s }'", '3'],
  ['jq', 'echo \'{"a":[1,2]}\' | jq -c ".a | add"', '3'],
  ['diff', 'echo a > /tmp/a; echo b > /tmp/b; diff /tmp/a /tmp/b', '-a\n+b'],
  ['sqlite3', "sqlite3 :memory: 'select 6 * 7'", '42'],
  ['tar and gzip', 'echo x > /tmp/x; tar czf /tmp/x.tgz -C /tmp x; tar tzf /tmp/x.tgz', 'x'],
  ['html-to-markdown', "echo '<h1>T</h1>' | html-to-markdown", '# T'],
  ['printf', "printf '%05.2f' 3.14159", '03.14'],
];

const python = 'python3 -c "import json; print(json.dumps([1, 2]))"; echo $?';

describe('the sandbox alone has', () => {
  // As deep as a local host has it: Python could not end in a folder of 140 to 180 characters.
  const sandbox = deployed('Sandbox', join(temporary(), 'x').padEnd(160, 'x'));
  // One process for all: each would start Node and just-bash anew.
  const source = `
    import { Bash } from 'just-bash';
    import { handler } from './index.mjs';
    const input = { command: ${JSON.stringify(python)} };
    const call = { tool: 'bash', input };
    const empty = { parts: [], upload_url: '', mounts: [], networking: { type: 'unrestricted' } };
    const { content } = await handler({ session_id: 'sesn_1', event_id: 'sevt_1', call, ...empty });
    const answers = [content[0].text];
    for (const command of ${JSON.stringify(commands.map(([, command]) => command))}) {
      const { stdout, stderr } = await new Bash({ python: true }).exec(command);
      answers.push(stdout + stderr);
    }
    process.stdout.write(JSON.stringify(answers), () => process.exit(0));`;
  let answers: string[] = [];
  beforeAll(() => {
    answers = JSON.parse(run(sandbox, source)) as string[];
  });

  test('python3, which ends well', () => {
    expect(answers[0]).toBe('[1, 2]\n0');
  });

  test('python3, which waits on when it is woken before it has its answer', () => {
    const early = `
      const real = globalThis.Atomics;
      let woken = 0;
      const waitAsync = (view, index, ...more) => {
        const waits = real.waitAsync(view, index, ...more);
        if (waits.async) waits.value.then(() => wake(view, index));
        return waits;
      };
      // It has asked, nobody has done it yet, and in a moment it sleeps: what it waits for is this thread's.
      const wake = (view, index) => {
        const until = Date.now() + 5000;
        let woke = 0;
        while (woke === 0 && Date.now() < until) woke = real.notify(view, index);
        woken += woke;
      };
      globalThis.Atomics = Object.create(real, { waitAsync: { value: waitAsync } });
      const { Bash } = await import('just-bash');
      const { stdout } = await new Bash({ python: true }).exec(${JSON.stringify(python)});
      process.stdout.write(JSON.stringify([stdout, woken > 0]), () => process.exit(0));`;
    // Not in the deep folder: that it ends well there is our handler's doing.
    expect(JSON.parse(run(deployed('Sandbox'), early))).toEqual(['[1, 2]\n0\n', true]);
  });

  test.each(commands.map((row, n) => [row[0], n, row[2]] as const))('%s', (_, n, prints) => {
    expect(answers[n + 1]).toContain(prints);
  });

  test('readers of office documents, which need no browser', () => {
    const files = {
      docx: docx({ paragraphs: ['in Word'] }),
      xlsx: xlsx([{ name: 'in Excel', cells: { A1: 1 } }]),
      pptx: pptx([['in PowerPoint']]),
    };
    const events = Object.entries(files).map(([kind, bytes]) => convertEvent(kind, bytes));
    const reading = `
      const { handler } = await import('./index.mjs');
      const replies = await Promise.all(${JSON.stringify(events)}.map(handler));
      process.stdout.write(JSON.stringify(replies), () => process.exit(0));`;
    const said = run(sandbox, reading);
    for (const words of ['in Word', 'Sheet 1 of 1: in Excel', 'in PowerPoint']) {
      expect(said).toContain(words);
    }
  });

  test('nothing that was built for this machine', () => {
    const names = readdirSync(sandbox.folder, { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.endsWith('.node'))).toEqual([]);
  });
});

/** A call of the sandbox that reads one file. */
function convertEvent(kind: string, bytes: Buffer): object {
  const path = `/mnt/session/outputs/a.${kind}`;
  const file = {
    kind: 'file',
    path,
    mode: 0o644,
    modified_at: '2026-11-20T00:00:00.000Z',
    size_bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    content: { base64: bytes.toString('base64') },
  };
  return {
    session_id: 'sesn_1',
    event_id: 'sevt_1',
    call: { tool: 'convert', path, offset: 0, chars_max: 1_000, quotes: [] },
    parts: [{ entries: [file], objects: [] }],
    upload_url: '',
    mounts: [],
    networking: { type: 'limited', allowed_hosts: [] },
  };
}
