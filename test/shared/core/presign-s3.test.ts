/** Goal: what we sign is what S3's own client would sign, wherever the bucket is. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, expect, test, vi } from 'vitest';
import { S3Blobs } from '#shared/core/blobs-s3.ts';
import { exactHeaders } from '#shared/core/blobs.ts';
import { verifyPresigned } from '../../../infra/local/s3/signature.ts';

const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'a+b/c==' };
const place = { region: 'eu-west-1', credentials };
const endpoint = 'http://127.0.0.1:9999';
const exact = { sha256: 'ab'.repeat(32), size_bytes: 5, content_type: 'text/csv' };
const keys = ['memory_stores/m/versions/v', "files/a b+\u00e9*'()!"];

afterEach(() => vi.unstubAllEnvs());

const clients = {
  'by host': [place, {}, {}],
  elsewhere: [{ ...place, endpoint }, {}, { endpoint, forcePathStyle: true }],
  'where the environment says': [
    place,
    { AWS_ENDPOINT_URL_S3: endpoint },
    { endpoint, forcePathStyle: true },
  ],
} as const;
const cases = Object.keys(clients).flatMap((where) =>
  keys.map((key) => [where as keyof typeof clients, key] as const),
);

test.each(cases)('a URL %s of %s', async (where, key) => {
  const [ours, environment, theirs] = clients[where];
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const blobs = new S3Blobs('bucket', ours);
  const s3 = new S3Client({
    ...place,
    ...theirs,
    // What the client adds and nobody asks of such a URL.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const object = { Bucket: 'bucket', Key: key };
  const names = new Set(Object.keys(exactHeaders(exact)));
  const how = { expiresIn: 900, signableHeaders: names, unhoistableHeaders: names };
  const sum = exactHeaders(exact)['x-amz-checksum-sha256'];
  const put = { ContentLength: 5, ContentType: 'text/csv', ChecksumSHA256: sum };
  const wanted = {
    get: await getSignedUrl(s3, new GetObjectCommand(object), { expiresIn: 900 }),
    put: await getSignedUrl(s3, new PutObjectCommand(object), { expiresIn: 900 }),
    exact: await getSignedUrl(s3, new PutObjectCommand({ ...object, ...put }), how),
  };
  const made = {
    get: await blobs.presignGet(key, 900),
    put: await blobs.presignPut(key, 900),
    exact: await blobs.presignPut(key, 900, exact),
  };
  for (const name of ['get', 'put', 'exact'] as const) {
    const url = new URL(made[name]);
    expect(withoutTime(url)).toEqual(withoutTime(new URL(wanted[name])));
    const headers = { host: url.host, ...(name === 'exact' ? exactHeaders(exact) : {}) };
    const method = name === 'get' ? 'GET' : 'PUT';
    const request = { method, path: url.pathname, query: url.searchParams, headers };
    expect(() => verifyPresigned(request, credentials.secretAccessKey, new Date())).not.toThrow();
  }
});

/** All but what depends on the second, and the name that the client gives the operation. */
function withoutTime({ origin, pathname, searchParams }: URL): object {
  const changing = new Set(['X-Amz-Date', 'X-Amz-Signature', 'x-id']);
  const query = [...searchParams].filter(([name]) => !changing.has(name));
  return { origin, pathname, query: Object.fromEntries(query) };
}
