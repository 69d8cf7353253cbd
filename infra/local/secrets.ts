import { AwsError } from './aws-error.ts';
import { place } from './place.ts';
import { record } from './template/template.ts';
import { jsonFailure, jsonReply, type Plan, type Service, type WireRequest } from './wire.ts';

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value: string;
  readonly kms_key_arn: string | undefined;
}

/** Secrets Manager's GetSecretValue over what the person at the terminal gave. */
export class SecretsService implements Service {
  readonly #secrets: ReadonlyMap<string, Secret>;

  constructor(secrets: readonly Secret[]) {
    const by_id = secrets.flatMap((secret): [string, Secret][] => [
      [secret.arn, secret],
      [secret.name, secret],
    ]);
    this.#secrets = new Map(by_id);
  }

  plan({ headers, body }: WireRequest): Plan {
    const action = String(headers['x-amz-target'] ?? '').replace('secretsmanager.', '');
    const request = record(JSON.parse(body.toString('utf8')));
    const id = String(request['SecretId']);
    const secret = this.#secrets.get(id);
    const resource = secret?.arn ?? id;
    const via = { 'kms:viaservice': [`secretsmanager.${place.region}.amazonaws.com`] };
    const key = secret?.kms_key_arn;
    return {
      action,
      resource,
      body: request,
      permissions: [
        { action: `secretsmanager:${action}`, resource, context: {} },
        ...(key === undefined ? [] : [{ action: 'kms:Decrypt', resource: key, context: via }]),
      ],
      run: async () => {
        if (action !== 'GetSecretValue') {
          throw new AwsError(
            'UnknownOperationException',
            `The local host does not speak ${action}.`,
          );
        }
        if (secret === undefined) {
          const message = "Secrets Manager can't find the specified secret.";
          throw new AwsError('ResourceNotFoundException', message);
        }
        return jsonReply({
          ARN: secret.arn,
          Name: secret.name,
          SecretString: secret.value,
          VersionId: '00000000-0000-4000-8000-000000000000',
          VersionStages: ['AWSCURRENT'],
        });
      },
    };
  }

  failure = jsonFailure;
}
