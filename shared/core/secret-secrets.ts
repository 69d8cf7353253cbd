import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { invariant } from './invariant.ts';
import type { Secret } from './secret.ts';

/** A secret in Secrets Manager, by its ARN. */
export class ManagedSecret implements Secret {
  readonly #client: SecretsManagerClient;
  readonly #arn: string;

  constructor(arn: string, client = new SecretsManagerClient()) {
    this.#arn = arn;
    this.#client = client;
  }

  async read(): Promise<string> {
    const { SecretString } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#arn }),
    );
    invariant(SecretString !== undefined && SecretString !== '', 'the secret holds a string');
    return SecretString;
  }
}
