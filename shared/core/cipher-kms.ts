import { AwsJson } from './aws-json.ts';
import type { AwsPlace } from './aws-caller.ts';
import type { Cipher, Context } from './cipher.ts';
import { invariant } from './invariant.ts';

/** KMS itself encrypts and decrypts: no key of ours is ever in memory. One call each. */
export class KmsCipher implements Cipher {
  readonly #key_arn: string;
  readonly #kms: AwsJson;

  constructor(key_arn: string, place?: AwsPlace) {
    this.#key_arn = key_arn;
    this.#kms = new AwsJson('kms', place);
  }

  async seal(text: string, context: Context): Promise<string> {
    const { CiphertextBlob } = await this.#kms.call<{ CiphertextBlob?: string }>('Encrypt', {
      KeyId: this.#key_arn,
      Plaintext: Buffer.from(text).toString('base64'),
      EncryptionContext: context,
    });
    invariant(CiphertextBlob !== undefined, 'KMS answers Encrypt with a ciphertext');
    return CiphertextBlob;
  }

  async open(sealed: string, context: Context): Promise<string> {
    const { Plaintext } = await this.#kms.call<{ Plaintext?: string }>('Decrypt', {
      KeyId: this.#key_arn,
      CiphertextBlob: sealed,
      EncryptionContext: context,
    });
    invariant(Plaintext !== undefined, 'KMS answers Decrypt with a plaintext');
    return Buffer.from(Plaintext, 'base64').toString('utf8');
  }
}
