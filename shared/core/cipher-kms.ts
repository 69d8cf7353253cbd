import type { KMSClientConfig } from '@aws-sdk/client-kms';
import { awsDefaults } from './aws-defaults.ts';
import type { Cipher, Context } from './cipher.ts';
import { invariant } from './invariant.ts';

/** KMS itself encrypts and decrypts: no key of ours is ever in memory. One call each. */
export class KmsCipher implements Cipher {
  readonly #key_arn: string;
  readonly #config: KMSClientConfig;
  #opened: ReturnType<typeof load> | undefined;

  constructor(key_arn: string, config: KMSClientConfig = awsDefaults) {
    this.#key_arn = key_arn;
    this.#config = config;
  }

  async seal(text: string, context: Context): Promise<string> {
    const { kms, EncryptCommand } = await this.#open();
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({
        KeyId: this.#key_arn,
        Plaintext: Buffer.from(text),
        EncryptionContext: { ...context },
      }),
    );
    invariant(CiphertextBlob !== undefined, 'KMS answers Encrypt with a ciphertext');
    return Buffer.from(CiphertextBlob).toString('base64');
  }

  async open(sealed: string, context: Context): Promise<string> {
    const { kms, DecryptCommand } = await this.#open();
    const { Plaintext } = await kms.send(
      new DecryptCommand({
        KeyId: this.#key_arn,
        CiphertextBlob: Buffer.from(sealed, 'base64'),
        EncryptionContext: { ...context },
      }),
    );
    invariant(Plaintext !== undefined, 'KMS answers Decrypt with a plaintext');
    return Buffer.from(Plaintext).toString('utf8');
  }

  #open(): ReturnType<typeof load> {
    return (this.#opened ??= load(this.#config));
  }
}

/** Loaded when it is first used: few requests and few steps have a secret, all have a cold start. */
async function load(config: KMSClientConfig) {
  const { openKms } = await import('./open-kms.ts');
  return openKms(config);
}
