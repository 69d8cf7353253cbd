import { limits } from '../core/limits.ts';
import { publicFetch, RequestRefused, type Dialer } from '../tools/public-fetch.ts';
import type { Checkout } from './resource.ts';

/** Why a repository is not there, as `session.error` names it. */
export interface RepositoryFault {
  readonly type: `repository_${'authentication' | 'forbidden' | 'not_found' | 'checkout' | 'clone'}_error`;
  /** For people; holds no token. */
  readonly message: string;
}

export interface ArchiveRequest {
  readonly url: string;
  readonly checkout: Checkout | null;
  readonly token: string | undefined;
}

export interface GitHub {
  readonly dialer: Dialer;
  /** Where the API answers and, after a redirect, archives come from. */
  readonly api_origin: string;
  readonly archive_origin: string;
}

export const publicGitHub = {
  api_origin: 'https://api.github.com',
  archive_origin: 'https://codeload.github.com',
} as const;

/**
 * A repository as a gzipped tar, at its default branch or at what is checked out. The token goes to
 * the API alone: a redirect to another origin drops it, and only these two are followed.
 */
export async function fetchArchive(
  github: GitHub,
  request: ArchiveRequest,
  signal: AbortSignal,
): Promise<Uint8Array | RepositoryFault> {
  const name = request.url.slice('https://github.com/'.length);
  const path = `/repos/${name}`;
  try {
    const answer = await ask(github, `${path}/tarball${refOf(request)}`, request, signal);
    if (answer.status === 200) return answer.body;
    if (answer.status !== 404) return faultOf(name, answer.status, answer.headers);
    // The same answer for a repository and for a branch that are not there.
    const repository = await ask(github, path, request, signal);
    if (repository.status !== 200) return faultOf(name, repository.status, repository.headers);
    return missingRef(name, request.checkout);
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error ? error.message : 'The connection failed.';
    return { type: 'repository_clone_error', message: `${name} could not be fetched. ${why}` };
  }
}

function refOf({ checkout }: ArchiveRequest): string {
  if (checkout === null) return '';
  if (checkout.type === 'commit') return `/${checkout.sha}`;
  // A tag of the same name is another thing.
  return `/refs/heads/${checkout.name.split('/').map(encodeURIComponent).join('/')}`;
}

async function ask(
  { dialer, api_origin, archive_origin }: GitHub,
  path: string,
  { token }: ArchiveRequest,
  signal: AbortSignal,
) {
  return await publicFetch(dialer, `${api_origin}${path}`, {
    method: 'GET',
    headers: {
      accept: 'application/vnd.github+json',
      'user-agent': 'Reverie/1.0',
      'x-github-api-version': '2022-11-28',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    redirects_max: limits.fetch_redirects_max,
    body_bytes_max: limits.archive_bytes_max,
    timeout_ms: limits.archive_timeout_ms,
    signal,
    allow: ({ origin }) => {
      if (origin === api_origin || origin === archive_origin) return;
      throw new RequestRefused('GitHub redirects to another host.');
    },
  });
}

function faultOf(
  name: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): RepositoryFault {
  if (status === 401) {
    const message = `GitHub does not take the token for ${name}. Give it another one.`;
    return { type: 'repository_authentication_error', message };
  }
  if (status === 404) {
    const message = `${name} was not found. A private repository needs a token that may read it.`;
    return { type: 'repository_not_found_error', message };
  }
  const is_throttled = status === 429 || headers['x-ratelimit-remaining'] === '0';
  if ((status === 403 || status === 451) && !is_throttled) {
    const message = `GitHub refuses access to ${name}.`;
    return { type: 'repository_forbidden_error', message };
  }
  const why = is_throttled ? 'GitHub takes no more requests now' : `GitHub answered ${status}`;
  return { type: 'repository_clone_error', message: `${name} could not be fetched: ${why}.` };
}

function missingRef(name: string, checkout: Checkout | null): RepositoryFault {
  if (checkout === null) {
    return { type: 'repository_clone_error', message: `${name} is empty.` };
  }
  const what = checkout.type === 'branch' ? `branch '${checkout.name}'` : `commit ${checkout.sha}`;
  return { type: 'repository_checkout_error', message: `${name} has no ${what}.` };
}
