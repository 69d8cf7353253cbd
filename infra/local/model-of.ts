import { BootError } from './boot-error.ts';

export interface ModelAccess {
  readonly api_key: string;
  readonly base_url?: string;
}

/**
 * Whom the host asks: Claude, where there is a key, at the address that is given; else no model of its own.
 * @throws BootError for an address that is none
 */
export function modelOf(env: NodeJS.ProcessEnv): { readonly model?: ModelAccess } {
  const { ANTHROPIC_API_KEY: api_key = '', ANTHROPIC_BASE_URL: base_url = '' } = env;
  if (base_url !== '' && !/^https?:$/.test(URL.parse(base_url)?.protocol ?? '')) {
    throw new BootError(`ANTHROPIC_BASE_URL is '${base_url}', not a URL.`);
  }
  if (api_key === '') return {};
  return { model: { api_key, ...(base_url === '' ? {} : { base_url }) } };
}
