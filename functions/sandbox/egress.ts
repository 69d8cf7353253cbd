import { AsyncLocalStorage } from 'node:async_hooks';
import type { BashOptions } from 'just-bash';
import { limits } from '#shared/core/limits.ts';
import { publicFetch, RequestRefused, type Dialer } from '#shared/tools/public-fetch.ts';
import type { Networking } from '#shared/tools/sandbox.ts';

type SecureFetch = NonNullable<BashOptions['fetch']>;

/** As curl has it, where a command does not say otherwise. */
const REDIRECTS_MAX = 20;

/** The network of commands: what the session's environment allows, and never an inner address. */
export function egress(networking: Networking, dialer: Dialer, signal: AbortSignal): SecureFetch {
  // Our own fetch is no part of what the interpreter confines.
  const outside = AsyncLocalStorage.snapshot();
  return async (address, options = {}) => {
    const headers =
      options.headers instanceof Headers
        ? Object.fromEntries(options.headers)
        : { ...options.headers };
    const answer = await outside(publicFetch, dialer, address, {
      method: options.method ?? 'GET',
      headers: { 'user-agent': 'curl/8.5.0', accept: '*/*', ...headers },
      body: options.body,
      redirects_max:
        options.followRedirects === false ? 0 : (options.maxRedirects ?? REDIRECTS_MAX),
      body_bytes_max: limits.file_bytes_max,
      timeout_ms: Math.min(options.timeoutMs ?? limits.bash_timeout_ms, limits.bash_timeout_ms),
      signal: options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]),
      allow: (url) => {
        if (isAllowed(networking, url.hostname)) return;
        throw new RequestRefused(
          `The host '${url.hostname}' is not among the allowed hosts of this session's environment.`,
        );
      },
    });
    return {
      status: answer.status,
      statusText: answer.status_text,
      headers: { ...answer.headers },
      body: answer.body,
      url: answer.url,
    };
  };
}

/** `*.example.com` allows every host below example.com, but not example.com itself. */
export function isAllowed(networking: Networking, hostname: string): boolean {
  if (networking.type === 'unrestricted') return true;
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return networking.allowed_hosts.some((allowed) => {
    const name = allowed.toLowerCase();
    return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name;
  });
}
