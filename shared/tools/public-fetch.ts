import ipaddr from 'ipaddr.js';
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';

/**
 * HTTP to the public internet only, for addresses that a model chose. The name is resolved here,
 * every address is checked, and the connection goes to the address that was checked: a name that
 * changes between check and use (DNS rebinding) gains nothing. Each redirect starts over.
 */

/** How names become addresses and addresses connections. Tests give their own. */
export interface Dialer {
  resolve(hostname: string): Promise<readonly string[]>;
  connect(address: string, port: number): net.Socket;
}

export const systemDialer: Dialer = {
  resolve: async (hostname) => {
    const found = await lookup(hostname, { all: true });
    return found.map(({ address }) => address);
  },
  connect: (address, port) => net.connect({ host: address, port }),
};

export interface PublicRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly redirects_max: number;
  readonly body_bytes_max: number;
  readonly timeout_ms: number;
  readonly signal: AbortSignal;
  /** Called for the address and for each redirect's; throws to refuse it. */
  readonly allow: (url: URL) => void;
}

export interface PublicResponse {
  /** The address after redirects. */
  readonly url: string;
  readonly status: number;
  readonly status_text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The request was refused by a rule of ours; the message is fit for the model. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
}

/**
 * @throws RequestRefused for what no one may reach and what is too large; Error for a failure on
 *   the way (its message names no inner address).
 */
export async function publicFetch(
  dialer: Dialer,
  address: string,
  request: PublicRequest,
): Promise<PublicResponse> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeout_ms)]);
  let url = parseUrl(address);
  let { method, headers, body } = request;
  for (let redirects = 0; ; redirects++) {
    request.allow(url);
    const answer = await exchange(dialer, url, { method, headers, body, signal });
    const target = redirectOf(answer, url);
    if (target === undefined) {
      return { url: url.href, ...(await readAnswer(answer, request.body_bytes_max)) };
    }
    answer.destroy();
    if (redirects === request.redirects_max) {
      // Zero means that the caller wants to see the redirect itself, as curl does without -L.
      if (request.redirects_max === 0)
        return { url: url.href, ...headOf(answer), body: new Uint8Array() };
      throw new RequestRefused(`More than ${request.redirects_max} redirects.`);
    }
    if (answer.statusCode !== 307 && answer.statusCode !== 308 && method !== 'HEAD') {
      [method, body] = ['GET', undefined];
    }
    if (target.origin !== url.origin) headers = withoutSecrets(headers);
    url = target;
  }
}

function parseUrl(address: string): URL {
  const url = URL.parse(address);
  if (url === null) throw new RequestRefused('This is not a valid URL.');
  return url;
}

/** @returns the addresses of a host. @throws RequestRefused unless all of them are public. */
async function publicAddress(dialer: Dialer, url: URL): Promise<string> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new RequestRefused('Only http and https addresses can be reached.');
  }
  if (!isOpenPort(url))
    throw new RequestRefused('Only the ports 80, 443 and those from 1024 up can be reached.');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = ipaddr.isValid(host) ? [host] : await resolve(dialer, host);
  const [first] = addresses;
  if (first === undefined || !addresses.every(isPublic)) {
    throw new RequestRefused(`The host '${host}' is not on the public internet.`);
  }
  return first;
}

/** Below 1024 listens what speaks no HTTP, mail servers among it, and might take a request for its own. */
function isOpenPort({ port }: URL): boolean {
  return port === '' || port === '80' || port === '443' || Number(port) >= 1_024;
}

async function resolve(dialer: Dialer, host: string): Promise<readonly string[]> {
  try {
    return await dialer.resolve(host);
  } catch (cause) {
    throw new Error(`The host '${host}' could not be found.`, { cause });
  }
}

/** Whether an address is of the public internet: not private, local, metadata, reserved or mapped to one. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // All that is given out of IPv6; outside stands, too, `::` and an IPv4 address behind it.
  const is_assigned = parsed.kind() === 'ipv4' || parsed.match(ipaddr.parse('2000::'), 3);
  return is_assigned && parsed.range() === 'unicast';
}

interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

async function exchange(
  dialer: Dialer,
  url: URL,
  { method, headers, body, signal }: Exchange,
): Promise<http.IncomingMessage> {
  const address = await publicAddress(dialer, url);
  const is_secure = url.protocol === 'https:';
  const connect = (): net.Socket => {
    const socket = dialer.connect(address, Number(url.port || (is_secure ? 443 : 80)));
    if (!is_secure) return socket;
    // A name for SNI and for the certificate; an address has none.
    const servername = net.isIP(url.hostname) === 0 ? url.hostname : '';
    return tls.connect({ socket, servername, ALPNProtocols: ['http/1.1'] });
  };
  return await new Promise((done, fail) => {
    // No `agent`: any agent, also `false`, would ignore `createConnection` and resolve by itself.
    const request = (is_secure ? https : http).request(
      {
        method,
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, host: url.host },
        createConnection: connect,
        signal,
      },
      done,
    );
    const broken = (cause?: Error): void => {
      const why = signal.aborted ? 'The host took too long.' : 'The connection failed.';
      fail(new Error(why, { cause }));
    };
    request.on('error', broken);
    // An answer that switches protocols is closed by Node without an error, and without an answer.
    request.on('close', broken);
    request.end(body);
  });
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function redirectOf(answer: http.IncomingMessage, url: URL): URL | undefined {
  const { location } = answer.headers;
  if (location === undefined || !REDIRECTS.has(answer.statusCode ?? 0)) return undefined;
  const target = URL.parse(location, url.href);
  if (target === null)
    throw new RequestRefused('The host redirects to an address that is not valid.');
  return target;
}

function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  const secret = new Set(['authorization', 'cookie', 'proxy-authorization']);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !secret.has(name.toLowerCase())),
  );
}

function headOf(answer: http.IncomingMessage) {
  const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return {
    status: answer.statusCode ?? 0,
    status_text: answer.statusMessage ?? '',
    headers: Object.fromEntries(headers),
  };
}

const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream & AsyncIterable<Buffer>>> = {
  gzip: zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
};

/** The bound holds for what is sent and for what it unpacks to. */
async function readAnswer(answer: http.IncomingMessage, bytes_max: number) {
  const decoder = decoders[answer.headers['content-encoding'] ?? '']?.();
  const source: AsyncIterable<Buffer> = decoder === undefined ? answer : answer.pipe(decoder);
  answer.on('error', (error) => decoder?.emit('error', error));
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of source) {
      bytes += part.length;
      if (bytes > bytes_max)
        throw new RequestRefused(`The answer is larger than ${bytes_max} bytes.`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof RequestRefused) throw cause;
    throw new Error('The answer broke off.', { cause });
  } finally {
    answer.destroy();
  }
  return { ...headOf(answer), body: Buffer.concat(parts) };
}
