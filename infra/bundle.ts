import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Lambda hands its credentials over in the environment, where the SDK looks first: what would look
 * elsewhere is never reached, and was a sixth of the API's bundle. bowser reads the name of a browser.
 */
const UNUSED = [
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-web-identity',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-http',
  '@smithy/credential-provider-imds',
  'bowser',
];

/**
 * Some of what we bundle is CommonJS and calls `require` for a module of Node, which ESM lacks. Made when
 * it is called: this stands in each chunk, few call it, and to make it in all was a tenth of a cold start.
 */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';let __lazy;const require=(name)=>(__lazy??=__createRequire(import.meta.url))(name);";

export interface BundleProps {
  /** Folder of functions/; its handler.ts exports `handler`. */
  readonly room: string;
  readonly sourceMap: boolean;
  /** Packages that cannot be bundled: they stay imports, and `copy` puts them beside the bundle. */
  readonly modules?: {
    readonly names: readonly string[];
    copy(root: string, outdir: string): void;
  };
}

/**
 * Code of one function: one minified ES module, made by the esbuild of this repository.
 *
 * CDK's NodejsFunction starts `npx esbuild` for each function, about a second apiece; calling
 * esbuild in this process takes a tenth of that, and the same options serve the local host.
 */
export function bundle(props: BundleProps): Code {
  const room = join(root, 'functions', props.room);
  // The folder is what CDK keys its staging cache by: two functions from one folder would share code.
  return Code.fromAsset(room, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('never-pulled'),
      local: {
        tryBundle(outdir) {
          build(join(room, 'handler.ts'), outdir, props);
          props.modules?.copy(root, outdir);
          openToAll(outdir);
          return true;
        },
      },
    },
  });
}

/** Lambda reads its code as a user of its own, with the modes of here: a strict umask would keep it out. */
function openToAll(outdir: string): void {
  for (const entry of readdirSync(outdir, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

function build(entry: string, outdir: string, props: BundleProps): void {
  const { metafile } = buildSync({
    entryPoints: { index: entry },
    outdir,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    // What is imported later is parsed later: a step loads one provider's SDK of three.
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: [...UNUSED, ...(props.modules?.names ?? [])],
    banner: { js: BANNER },
    sourcemap: props.sourceMap,
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
  });
  const loaded = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind }) => kind !== 'dynamic-import')
    .find(({ path }) => UNUSED.includes(path));
  if (loaded) throw new Error(`${entry} loads ${loaded.path}, which is not in its bundle`);
}
