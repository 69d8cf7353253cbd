import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../aws-error.ts';

export interface Presigned {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Check a presigned request (SigV4 in the query) as S3 does: signature first, then expiry.
 * @throws AwsError `SignatureDoesNotMatch`, or `AccessDenied` once it has expired.
 */
export function verifyPresigned(request: Presigned, secret: string, now: Date): void {
  const { query } = request;
  const [, date = '', region = '', service = ''] = (query.get('X-Amz-Credential') ?? '').split('/');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const signed_at = query.get('X-Amz-Date') ?? '';
  const hash = createHash('sha256').update(canonical(request)).digest('hex');
  const to_sign = ['AWS4-HMAC-SHA256', signed_at, scope, hash].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => hmac(previous, part),
    `AWS4${secret}`,
  );
  const wanted = hmac(key, to_sign);
  const given = Buffer.from(query.get('X-Amz-Signature') ?? '', 'hex');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
      403,
    );
  }
  const expires_ms = instant(signed_at) + Number(query.get('X-Amz-Expires') ?? 0) * 1000;
  if (now.getTime() > expires_ms) throw new AwsError('AccessDenied', 'Request has expired', 403);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** `20261121T000000Z` in milliseconds. */
function instant(compact: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(compact) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}

function canonical({ method, path, query, headers }: Presigned): string {
  const names = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  const pairs = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const lines = names.map((name) => `${name}:${String(headers[name] ?? '').trim()}`);
  const whole = path
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
  return [method, whole, pairs, ...lines, '', names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
