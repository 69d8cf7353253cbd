import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsError } from '../aws-error.ts';

export type Context = Readonly<Record<string, string>>;

const algorithm = 'aes-256-gcm';
const key_bytes = 32;
const iv_bytes = 12;
const tag_bytes = 16;

/** A key of KMS: its bytes stay in the data folder, as AWS's stay in its hardware. */
export class KmsKey {
  readonly arn: string;
  readonly #bytes: Buffer;

  private constructor(arn: string, bytes: Buffer) {
    this.arn = arn;
    this.#bytes = bytes;
  }

  /** Read the key of this name, or make it. */
  static async open(folder: string, name: string, arn: string): Promise<KmsKey> {
    const file = join(folder, `${name}.key`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const fresh = randomBytes(key_bytes);
    // Made once: another would make everything that was sealed unreadable.
    await writeFile(file, fresh, { flag: 'wx', mode: 0o600 }).catch(() => undefined);
    return new KmsKey(arn, await readFile(file));
  }

  encrypt(plaintext: Buffer, context: Context): Buffer {
    const iv = randomBytes(iv_bytes);
    const cipher = createCipheriv(algorithm, this.#bytes, iv).setAAD(bound(context));
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  }

  /** @throws AwsError for another context, another key, or bytes that were changed */
  decrypt(ciphertext: Buffer, context: Context): Buffer {
    const iv = ciphertext.subarray(0, iv_bytes);
    const tag = ciphertext.subarray(iv_bytes, iv_bytes + tag_bytes);
    try {
      const decipher = createDecipheriv(algorithm, this.#bytes, iv, { authTagLength: tag_bytes })
        .setAAD(bound(context))
        .setAuthTag(tag);
      const sealed = ciphertext.subarray(iv_bytes + tag_bytes);
      return Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      // KMS does not say what was wrong either.
      throw new AwsError('InvalidCiphertextException', 'The ciphertext is invalid.');
    }
  }
}

/** The order of a context does not matter, its case does. */
function bound(context: Context): Buffer {
  const pairs = Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}
