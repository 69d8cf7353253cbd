import { GetObjectCommand, type S3ClientConfig } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { expect, test } from 'vitest';
import { s3Client } from '#shared/core/blobs-s3.ts';
import { GetSigner } from '#shared/core/get-signer-s3.ts';

const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'a+b/c==' };
const clients: readonly [where: string, config: S3ClientConfig][] = [
  ['by host', {}],
  ['by path', { forcePathStyle: true }],
  ['elsewhere', { forcePathStyle: true, endpoint: 'http://127.0.0.1:9999/s3' }],
];

test.each(clients)('a URL %s is just what the client itself would sign', async (_, config) => {
  const s3 = s3Client({
    region: 'eu-west-1',
    credentials,
    // The one thing that the client adds and nobody asks of such a URL.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...config,
  });
  const signer = new GetSigner(s3, 'bucket');
  for (const key of ['memory_stores/m/versions/v', "files/a b+\u00e9*'()!"]) {
    const url = new URL(await signer.urlOf(key, 900));
    const command = new GetObjectCommand({ Bucket: 'bucket', Key: key });
    const signingDate = new Date(
      (url.searchParams.get('X-Amz-Date') ?? '').replace(
        /^(....)(..)(..T..)(..)(..Z)$/,
        '$1-$2-$3:$4:$5',
      ),
    );
    const expected = new URL(await getSignedUrl(s3, command, { expiresIn: 900, signingDate }));
    expect(url.origin + url.pathname).toBe(expected.origin + expected.pathname);
    expect(Object.fromEntries(url.searchParams)).toEqual(Object.fromEntries(expected.searchParams));
  }
});
