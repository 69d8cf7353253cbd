import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../aws-error.ts';

type Digest = (body: Buffer) => string;

/** The algorithms whose sums we can make; the SDK's default is CRC32. */
const digests: Readonly<Record<string, Digest>> = {
  'x-amz-checksum-crc32': (body) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return sum.toString('base64');
  },
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest('base64'),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest('base64'),
  'content-md5': (body) => createHash('md5').update(body).digest('base64'),
};

export interface Checksums {
  /** The `x-amz-checksum-*` headers that came with the object, to be sent back on demand. */
  readonly kept: Readonly<Record<string, string>>;
}

/**
 * Compare a body with every sum that came with it, in headers or in the trailer.
 * @throws AwsError `BadDigest`; `NotImplemented` for an algorithm that we cannot check.
 */
export function verifyChecksums(
  body: Buffer,
  sent: Readonly<Record<string, string | string[] | undefined>>,
): Checksums {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(sent)) {
    if (typeof value !== 'string' || !isSum(name)) continue;
    const digest = digests[name];
    if (digest === undefined) {
      throw new AwsError('NotImplemented', `The local host cannot check ${name}.`, 501);
    }
    if (digest(body) !== value) {
      throw new AwsError('BadDigest', `The ${name} you specified did not match what we received.`);
    }
    if (name.startsWith('x-amz-checksum-')) kept[name] = value;
  }
  return { kept };
}

function isSum(name: string): boolean {
  if (name === 'content-md5') return true;
  return name.startsWith('x-amz-checksum-') && !/-(mode|type|algorithm)$/.test(name);
}

/** The hash of the body that SigV4 signed, when it was hashed at all. @throws AwsError */
export function verifyContentHash(body: Buffer, header: string | undefined): void {
  if (header === undefined || !/^[0-9a-f]{64}$/.test(header)) return;
  if (createHash('sha256').update(body).digest('hex') === header) return;
  throw new AwsError(
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}
