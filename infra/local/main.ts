import { styleText } from 'node:util';
import { BootError } from './boot-error.ts';
import { startHost, type HostOptions } from './host.ts';
import { modelOf } from './model-of.ts';

const help = `npm start

Runs Reverie on this machine, from the CloudFormation template that cdk deploy would use.
Prints \`ready <url>\` once requests are answered. Ctrl-C stops it; state stays in DATA_DIR.

  HOST                      address to listen on (127.0.0.1)
  PORT                      port to listen on (8787); 0 takes a free one
  DATA_DIR                  folder of all state and logs (.reverie)
  REVERIE_API_KEY           the admin API key (reverie-local)
  ANTHROPIC_API_KEY         key for the model; without it an offline model answers
  ANTHROPIC_BASE_URL        where the model's API is, if not at Anthropic
  AWS_ENDPOINT_URL_DYNAMODB a DynamoDB engine of your own, in place of the bundled one`;

const node_major_min = 24;

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** @throws BootError for a value that makes no sense. */
function readEnvironment(env: NodeJS.ProcessEnv): HostOptions {
  const port = env['PORT'] || '8787';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new BootError(`PORT is '${port}', not a number from 0 to 65535.`);
  }
  return {
    host: env['HOST'] || '127.0.0.1',
    port: Number(port),
    data_dir: env['DATA_DIR'] || '.reverie',
    admin_key: env['REVERIE_API_KEY'] || 'reverie-local',
    ...modelOf(env),
    progress: say,
  };
}

function warnOfDefaultKey(host = '', key = ''): void {
  if (key !== '' || /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i.test(host)) return;
  const sentence = `HOST ${host} is open to others, and everybody knows the default key. Set REVERIE_API_KEY.`;
  say(styleText('yellow', sentence));
}

async function main(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < node_major_min) {
    throw new BootError(`This is Node ${process.versions.node}. Use npm start: it brings Node 24.`);
  }
  const options = readEnvironment(process.env);
  if (options.model === undefined) {
    say(styleText('yellow', 'No ANTHROPIC_API_KEY: the offline model answers, by a script.'));
  }
  warnOfDefaultKey(options.host, process.env['REVERIE_API_KEY']);
  const stopping = stopSignals();
  let is_stopping = false;
  // What the end of the host cuts off has not failed.
  const progress = (sentence: string): void => {
    if (!is_stopping) say(sentence);
  };
  const host = await startHost({ ...options, progress });
  console.log(`ready ${host.base_url}`);
  await stopping;
  is_stopping = true;
  await host.stop();
}

/** The first signal ends the host in order; a second one ends the process at once. */
function stopSignals(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(130);
    asked = true;
    say('Stopping …');
    resolve();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return promise;
}

const [argument] = process.argv.slice(2);
if (argument === '--help' || argument === '-h') {
  console.log(help);
} else if (argument !== undefined) {
  say(`There is no '${argument}': all is set by variables.\n\n${help}`);
  process.exitCode = 2;
} else {
  try {
    await main();
    process.exit(0);
  } catch (cause) {
    say(cause instanceof BootError ? cause.message : String((cause as Error).stack ?? cause));
    process.exit(1);
  }
}
