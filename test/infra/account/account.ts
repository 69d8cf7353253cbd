import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { element, Refused, result, type Answer } from './answers.ts';
import { Assets } from './assets.ts';
import { CloudFormation } from './cloudformation.ts';
import { ACCOUNT, REGION } from './place.ts';

/** The account is bootstrapped, as AWS's own template of the locked CLI does it. */
const BOOTSTRAP_VERSION = '30';

/**
 * What of an AWS account the CDK CLI asks, over the wire that it asks by: STS (who calls), SSM (the
 * version of the bootstrap), S3 (assets) and CloudFormation (change sets and stacks). It refuses what those
 * would, as far as it can be known without making a resource; and it makes none.
 */
export class Account {
  readonly assets = new Assets();
  readonly stacks = new CloudFormation((url) => this.assets.objects.get(new URL(url).pathname));
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  /** @returns what the CLI is to find in its environment */
  async open(): Promise<Readonly<Record<string, string>>> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'AKIAREHEARSAL',
      AWS_SECRET_ACCESS_KEY: 'rehearsal',
      AWS_REGION: REGION,
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { status, type, body: text, headers } = this.#answer(request, body);
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(text);
  }

  #answer({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer): Answer {
    const at = new URL(url, 'http://account');
    try {
      if (headers['x-amz-target'] === 'AmazonSSM.GetParameter') return parameter(body);
      if (at.pathname !== '/') return this.assets.answer(method, at, body);
      const query = new URLSearchParams(body.toString());
      const action = query.get('Action') ?? '';
      return identity[action] ?? this.stacks.answer(action, query);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      return new Refused('InternalFailure', String(error)).answer;
    }
  }
}

function parameter(body: Buffer): Answer {
  const { Name } = JSON.parse(body.toString()) as { Name: string };
  const Parameter = { Name, Type: 'String', Value: BOOTSTRAP_VERSION };
  return { status: 200, type: 'application/x-amz-json-1.1', body: JSON.stringify({ Parameter }) };
}

const credentials = element('Credentials', [
  element('AccessKeyId', 'ASIAREHEARSAL'),
  element('SecretAccessKey', 'rehearsal'),
  element('SessionToken', 'rehearsal'),
  element('Expiration', '2099-01-01T00:00:00Z'),
]);

const identity: Readonly<Record<string, Answer>> = {
  GetCallerIdentity: result(
    'GetCallerIdentity',
    element('Account', ACCOUNT) + element('Arn', `arn:aws:iam::${ACCOUNT}:user/you`),
  ),
  AssumeRole: result('AssumeRole', credentials),
};
