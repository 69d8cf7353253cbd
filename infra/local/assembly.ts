import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootError } from './boot-error.ts';
import type { Template } from './template/template.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below the repository's own node_modules, so that modules outside a bundle are found from it. */
const cache = join(root, 'node_modules', '.cache', 'reverie');
/** What an assembly follows from. This folder does not belong to it: the host is not deployed. */
const sources = ['infra', 'functions', 'shared', 'cdk.json', 'package.json', 'package-lock.json'];
const kept_max = 3;

/**
 * Settings of an account that mean nothing here: the model is Anthropic's API, or the offline one that
 * speaks it; there is no domain, and no table and no secret but the stack's own.
 */
const elsewhere: ReadonlySet<string> = new Set(
  [
    'model_provider',
    'model_ids',
    'domain_name',
    'certificate_arn',
    'restored_table',
    'search_secret_arn',
    'otlp_endpoint',
    'otlp_headers_secret_arn',
  ].map((name) => `reverie:${name}`),
);

type Context = Readonly<Record<string, unknown>>;

/** Of the context in cdk.json, what holds on one machine too. */
export function contextHere(context: Context): Context {
  return Object.fromEntries(Object.entries(context).filter(([name]) => !elsewhere.has(name)));
}

export interface Assembly {
  readonly template: Template;
  /** Folder of the asset that a function's `S3Key` names. */
  asset(key: string): string;
}

export type Progress = (sentence: string) => void;

/** The synthesized CDK app, made anew only when its sources have changed. @throws BootError */
export async function loadAssembly(progress: Progress): Promise<Assembly> {
  const folder = join(cache, `assembly-${await hashOfSources()}`);
  if (!existsSync(folder)) await synthesize(folder, progress);
  return readAssembly(folder);
}

async function synthesize(folder: string, progress: Progress): Promise<void> {
  await makeCache();
  progress('Synthesizing the CDK app: once after each change of its sources, 10 to 20 s …');
  const began = performance.now();
  // Its own folder until it is whole: a start that is cut off leaves no half assembly behind.
  const making = `${folder}.${process.pid}`;
  await runSynth(making);
  await rename(making, folder).catch(async (cause: unknown) => {
    // Another start was faster; the two are equal.
    await rm(making, { recursive: true, force: true });
    if (!existsSync(folder)) throw cause;
  });
  await dropOld();
  progress(`Synthesized in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
}

async function makeCache(): Promise<void> {
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
  } catch (cause) {
    throw new BootError(
      `What is made of this checkout is kept in ${cache}, which cannot be written. ` +
        'Start it once where it can be: after that it is only read.',
      { cause },
    );
  }
}

/** What `npm run synth` runs: the app of cdk.json, without the two seconds of the CLI around it. */
async function runSynth(output: string): Promise<void> {
  const { app, context = {} } = (await readJson(join(root, 'cdk.json'))) as CdkJson;
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(app, {
    shell: true,
    cwd: root,
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
      CDK_OUTDIR: output,
      CDK_CONTEXT_JSON: JSON.stringify(contextHere(context)),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  await rm(output, { recursive: true, force: true });
  throw new BootError(`The CDK app did not synthesize:\n${Buffer.concat(said).toString('utf8')}`);
}

interface CdkJson {
  readonly app: string;
  readonly context?: Context;
}

async function readAssembly(folder: string): Promise<Assembly> {
  const files = await readdir(folder);
  const name = files.find((file) => file.endsWith('.template.json'));
  const assets = files.find((file) => file.endsWith('.assets.json'));
  if (name === undefined || assets === undefined) {
    throw new BootError(`${folder} holds no template. Delete the folder and start again.`);
  }
  const manifest = (await readJson(join(folder, assets))) as Manifest;
  return {
    template: (await readJson(join(folder, name))) as Template,
    asset: (key) => {
      const source = manifest.files[key.replace(/\.zip$/, '')]?.source.path;
      if (source === undefined) throw new BootError(`The assembly has no asset ${key}.`);
      return join(folder, source);
    },
  };
}

interface Manifest {
  readonly files: Readonly<Record<string, { readonly source: { readonly path: string } }>>;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256').update(process.versions.node);
  const local = join('infra', 'local');
  for (const source of sources) {
    // oxlint-disable-next-line no-await-in-loop -- the order is part of the hash
    for (const path of await filesBelow(source)) {
      if (path.startsWith(local)) continue;
      // Hundreds of small files: read one after another they take a quarter of what promises take.
      hash
        .update(path)
        .update('\0')
        .update(readFileSync(join(root, path)));
    }
  }
  return hash.digest('hex').slice(0, 32);
}

async function filesBelow(path: string): Promise<string[]> {
  if (!(await stat(join(root, path))).isDirectory()) return [path];
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(root.length)).toSorted();
}

/** Keep the newest few: switching between branches does not synthesize each time. */
async function dropOld(): Promise<void> {
  const names = (await readdir(cache)).filter((name) => name.startsWith('assembly-'));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, made_ms: (await stat(join(cache, name))).mtimeMs })),
  );
  const old = dated.toSorted((a, b) => b.made_ms - a.made_ms).slice(kept_max);
  await Promise.all(old.map(({ name }) => rm(join(cache, name), { recursive: true, force: true })));
}
