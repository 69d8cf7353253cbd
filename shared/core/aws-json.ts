import { AwsCaller, bytesOf, type AwsPlace } from './aws-caller.ts';

/** The services that speak AWS's JSON protocol. Source: their API references. */
const protocols = {
  dynamodb: { target: 'DynamoDB_20120810', type: 'application/x-amz-json-1.0' },
  states: { target: 'AWSStepFunctions', type: 'application/x-amz-json-1.0' },
  secretsmanager: { target: 'secretsmanager', type: 'application/x-amz-json-1.1' },
  kms: { target: 'TrentService', type: 'application/x-amz-json-1.1' },
} as const;

/** A service whose operations all are a JSON object for another: bytes are base64 in both. */
export class AwsJson {
  readonly #protocol: (typeof protocols)[keyof typeof protocols];
  readonly #service: AwsCaller;

  constructor(name: keyof typeof protocols, place?: AwsPlace) {
    this.#protocol = protocols[name];
    this.#service = new AwsCaller(name, place);
  }

  /** @throws as {@link AwsCaller.send} does */
  async call<Output>(operation: string, input: object): Promise<Output> {
    const { target, type } = this.#protocol;
    const headers = { 'content-type': type, 'x-amz-target': `${target}.${operation}` };
    return await this.#service.send(
      { method: 'POST', headers, body: JSON.stringify(input) },
      async ({ body }) => JSON.parse((await bytesOf(body)).toString('utf8')) as Output,
    );
  }
}
