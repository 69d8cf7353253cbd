// Goal: a wrong import fails with the sentence that explains it. Method: a room may import what its
// row leaves open.
import { expect, test } from 'vitest';
import { importsOf, read, sources } from './sources.ts';

const ADAPTER = /^shared\/.*-(dynamo|s3|lambda|sfn|kms|secrets|scheduler)\.ts$/;
/** And what tells the SDK's failures apart: it is asked by whoever runs an adapter's calls. */
const ADAPTER_OR_FAILURE = new RegExp(`${ADAPTER.source}|^shared/core/aws-(failure|caller)\\.ts$`);
const AWS = /^(@aws-sdk|@smithy)\//;
const CDK = /^(aws-cdk-lib|constructs|cdk-nag|@aws-cdk\/.*)$/;

interface Rule {
  readonly why: string;
  readonly room: RegExp;
  readonly except?: RegExp;
  readonly never: RegExp;
}

const rules: readonly Rule[] = [
  { why: 'shared knows no room above it', room: /^shared\//, never: /^(infra|functions)\// },
  { why: 'shared does not know how it is deployed', room: /^shared\//, never: CDK },
  { why: 'core has no nouns', room: /^shared\/core\//, never: /^shared\/(?!core\/)/ },
  { why: 'only an adapter names AWS', room: /^shared\//, except: ADAPTER_OR_FAILURE, never: AWS },
  { why: 'a handler does not know how it is deployed', room: /^functions\//, never: /^infra\// },
  { why: 'a handler loads no constructs', room: /^functions\//, never: CDK },
  {
    why: 'only wiring.ts names an adapter',
    room: /^functions\//,
    except: /\/wiring\.ts$/,
    never: ADAPTER,
  },
  {
    why: 'only wiring.ts makes AWS clients',
    room: /^functions\//,
    except: /\/wiring\.ts$/,
    never: AWS,
  },
  {
    why: 'infra names an entry by path, it never loads it',
    room: /^infra\//,
    never: /^functions\//,
  },
  {
    why: 'the stack knows no local host: what deploys has no local branch',
    room: /^infra\//,
    except: /^infra\/local\//,
    never: /^infra\/local\//,
  },
  {
    why: 'the local host decides nothing of the product: it runs the bundles',
    room: /^infra\/local\//,
    never: /^shared\/(?!core\/)/,
  },
  {
    why: 'what ships knows no tests',
    room: /^(infra|functions|shared)\//,
    never: /^(test\/|vitest|fast-check)/,
  },
];

test.each(rules)('$why', ({ room, except, never }) => {
  const inside = sources(room).filter((file) => except?.test(file) !== true);
  const broken = inside.flatMap((file) =>
    importsOf(file)
      .filter(({ to }) => never.test(to))
      .map(({ to }) => `${file} imports ${to}`),
  );
  expect(inside.length).toBeGreaterThan(0);
  expect(broken).toEqual([]);
});

test('rooms of functions do not import each other', () => {
  const roomOf = (file: string): string | undefined => /^functions\/([^/]+)\//.exec(file)?.[1];
  const broken = sources(/^functions\//).flatMap((file) =>
    importsOf(file)
      .filter(({ to }) => to.startsWith('functions/') && roomOf(to) !== roomOf(file))
      .map(({ to }) => `${file} imports ${to}`),
  );
  expect(broken).toEqual([]);
});

test('what is bundled is a dependency, not a devDependency', () => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
  };
  const broken = sources(/^(functions|shared)\//).flatMap((file) =>
    importsOf(file)
      .filter(({ to, type_only }) => !type_only && !/^(node:|functions\/|shared\/)/.test(to))
      .filter(({ to }) => !(to in dependencies))
      .map(({ to }) => `${file} imports ${to}`),
  );
  expect(broken).toEqual([]);
});

test('zod comes as a namespace: named imports make the bundle four times as large', () => {
  const broken = sources().filter((file) =>
    importsOf(file).some(({ to, text }) => to === 'zod' && /\{/.test(text)),
  );
  expect(broken).toEqual([]);
});
