import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { awsDefaults } from './aws-defaults.ts';
import type { Cipher, Context } from './cipher.ts';
import { invariant } from './invariant.ts';

/** KMS itself encrypts and decrypts: no key of ours is ever in memory. One call each. */
export class KmsCipher implements Cipher {
  readonly #kms: KMSClient;
  readonly #key_arn: string;

  constructor(key_arn: string, kms = new KMSClient(awsDefaults)) {
    this.#key_arn = key_arn;
    this.#kms = kms;
  }

  async seal(text: string, context: Context): Promise<string> {
    const { CiphertextBlob } = await this.#kms.send(
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
    const { Plaintext } = await this.#kms.send(
      new DecryptCommand({
        KeyId: this.#key_arn,
        CiphertextBlob: Buffer.from(sealed, 'base64'),
        EncryptionContext: { ...context },
      }),
    );
    invariant(Plaintext !== undefined, 'KMS answers Decrypt with a plaintext');
    return Buffer.from(Plaintext).toString('utf8');
  }
}
