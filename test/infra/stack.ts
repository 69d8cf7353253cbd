import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flags } from '../../infra/flags.ts';
import { PlatformStack } from '../../infra/platform-stack.ts';
import { settingsFrom } from '../../infra/settings.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { Value: unknown }>>;
}

export interface SynthOptions {
  /** With the functions' code: a second more. @default false */
  readonly bundled?: boolean;
  /** With the rules of cdk-nag and of CDK itself: a finding throws. @default false */
  readonly nag?: boolean;
  /** Changes the app before it is synthesized. */
  readonly plant?: (stack: PlatformStack) => void;
}

export interface Synthesized {
  readonly template: Template;
  readonly outdir: string;
  /** Whether the CLI has CloudFormation refuse to delete the stack. */
  readonly is_protected: boolean;
}

/** A folder of this run, which takes it away. */
export function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'reverie-cdk-'));
}

/** The template of a deployment with these settings, given without their prefix. */
export function synth(
  settings: Readonly<Record<string, unknown>> = {},
  options: SynthOptions = {},
): Synthesized {
  const given = Object.entries(settings).map(([name, value]) => [`reverie:${name}`, value]);
  const outdir = temporary();
  const app = new App({
    outdir,
    analyticsReporting: false,
    builtinCloudFormationValidation: options.nag === true,
    context: {
      ...flags,
      ...Object.fromEntries(given),
      ...(options.bundled ? {} : { 'aws:cdk:bundling-stacks': [] }),
    },
  });
  const stack = new PlatformStack(app, settingsFrom(app.node.getAllContext()));
  options.plant?.(stack);
  if (options.nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  const file = join(outdir, `${stack.stackName}.template.json`);
  return {
    outdir,
    template: JSON.parse(readFileSync(file, 'utf8')) as Template,
    is_protected: isProtected(outdir, stack.stackName),
  };
}

interface Manifest {
  readonly artifacts: Readonly<
    Record<string, { readonly properties?: { readonly terminationProtection?: boolean } }>
  >;
}

/** What the CLI is told stands beside the template. */
function isProtected(outdir: string, name: string): boolean {
  const manifest = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8')) as Manifest;
  return manifest.artifacts[name]?.properties?.terminationProtection === true;
}

export function ofType({ Resources }: Template, type: string): Resource[] {
  return Object.values(Resources).filter(({ Type }) => Type === type);
}

/** The only resource of its type whose logical id begins with `start`. */
export function only({ Resources }: Template, type: string, start = ''): Resource {
  const found = Object.entries(Resources).filter(
    ([id, { Type }]) => Type === type && id.startsWith(start),
  );
  const [first] = found;
  if (found.length !== 1 || !first) throw new Error(`${found.length} of ${type} ${start}`);
  return first[1];
}

const HASH = /[0-9A-F]{8}$/;

/** A value with its intrinsics written as text: `<StorageTable.Arn>/index/list`. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const [[key, inner] = ['', undefined], second] = Object.entries(value);
  if (second === undefined) {
    if (key === 'Ref') return `<${String(inner).replace(HASH, '')}>`;
    if (key === 'Fn::GetAtt') {
      const [id = '', attribute = ''] = inner as string[];
      return `<${id.replace(HASH, '')}.${attribute}>`;
    }
    if (key === 'Fn::Join') {
      const [glue, parts] = inner as [string, unknown[]];
      return parts.map((part) => String(plain(part))).join(glue);
    }
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
