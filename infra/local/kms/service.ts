import { AwsError } from '../aws-error.ts';
import { arn } from '../place.ts';
import { record, text } from '../template/template.ts';
import {
  jsonFailure,
  jsonReply,
  type Plan,
  type Reply,
  type Service,
  type WireRequest,
} from '../wire.ts';
import type { Context, KmsKey } from './key.ts';

const plaintext_bytes_max = 4_096;

/** KMS's Encrypt and Decrypt under the keys of the template. */
export class KmsService implements Service {
  readonly #keys: ReadonlyMap<string, KmsKey>;

  constructor(keys: readonly KmsKey[]) {
    this.#keys = new Map(keys.map((key) => [key.arn, key]));
  }

  plan({ headers, body }: WireRequest): Plan {
    const action = String(headers['x-amz-target'] ?? '').replace('TrentService.', '');
    const request = record(JSON.parse(body.toString('utf8')));
    const id = String(request['KeyId']);
    const resource = id.startsWith('arn:') ? id : arn('kms', `key/${id}`);
    const context = record(request['EncryptionContext']) as Context;
    return {
      action,
      resource,
      body: request,
      permissions: [{ action: `kms:${action}`, resource, context: keysOf(context) }],
      run: async () => this.#perform(action, resource, request),
    };
  }

  failure = jsonFailure;

  #perform(action: string, key_arn: string, request: Record<string, unknown>): Reply {
    const key = this.#keys.get(key_arn);
    if (key === undefined)
      throw new AwsError('NotFoundException', `Key '${key_arn}' does not exist`);
    const context = record(request['EncryptionContext']) as Context;
    const bytes = (name: string): Buffer => Buffer.from(text(request[name] ?? '', name), 'base64');
    const about = { KeyId: key_arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    if (action === 'Encrypt') {
      const plaintext = bytes('Plaintext');
      if (plaintext.length === 0 || plaintext.length > plaintext_bytes_max) {
        throw new AwsError('ValidationException', 'Plaintext must have 1 to 4096 bytes.');
      }
      const sealed = key.encrypt(plaintext, context).toString('base64');
      return jsonReply({ ...about, CiphertextBlob: sealed });
    }
    if (action === 'Decrypt') {
      const plaintext = key.decrypt(bytes('CiphertextBlob'), context).toString('base64');
      return jsonReply({ ...about, Plaintext: plaintext });
    }
    throw new AwsError('UnknownOperationException', `The local host does not speak ${action}.`);
  }
}

/** What IAM may ask of a context. */
function keysOf(context: Context): Record<string, string[]> {
  const pairs = Object.entries(context);
  return {
    'kms:encryptioncontextkeys': pairs.map(([name]) => name),
    ...Object.fromEntries(
      pairs.map(([name, value]) => [`kms:encryptioncontext:${name.toLowerCase()}`, [value]]),
    ),
  };
}
