import { SecretValue, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** The two secrets of a deployment. No environment variable ever holds what is in them. */
export class Secrets extends Construct {
  /** JSON that the operator fills in: see shared/models/model-secret.ts. */
  readonly model: Secret;
  /** The first API key: plain text, all scopes. */
  readonly admin: Secret;

  constructor(scope: Construct, id: string, props: { settings: Settings; key: IKey }) {
    super(scope, id);
    const { settings, key } = props;
    this.admin = new Secret(this, 'AdminKey', {
      description: `${settings.stack_name}: first API key, with every scope`,
      encryptionKey: key,
      // 48 letters and digits: 285 bits, and nothing that a shell or a header would have to escape.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
    });
    Validations.of(this.admin).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Clients hold this key: rotating it without them would lock them out. It is replaced by creating keys under /v1/reverie/api_keys.',
    });
    this.model = new Secret(this, 'ModelKey', {
      description: `${settings.stack_name}: key of the model provider, as {"api_key": "..."}`,
      encryptionKey: key,
      // Empty on purpose. CloudFormation writes it once, and again only if this line changes, so what
      // the operator has put there stays. For Bedrock it may stay empty: the role signs.
      secretStringValue: SecretValue.unsafePlainText('{}'),
    });
    Validations.of(this.model).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'The model provider issues this key and has no call by which AWS could rotate it.',
    });
  }
}
