import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Cipher, Context } from '#shared/core/cipher.ts';

/** A cipher with a key of its own: another context does not open what it sealed, as with KMS. */
export class MemoryCipher implements Cipher {
  readonly #key = randomBytes(32);

  async seal(text: string, context: Context): Promise<string> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(aadOf(context));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  async open(sealed: string, context: Context): Promise<string> {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12))
      .setAAD(aadOf(context))
      .setAuthTag(bytes.subarray(12, 28));
    return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
  }
}

function aadOf(context: Context): Buffer {
  return Buffer.from(JSON.stringify(context, Object.keys(context).toSorted()));
}
