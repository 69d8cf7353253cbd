import { invariant } from './invariant.ts';

/**
 * Every environment variable of every function, once. infra sets them by these names; a wiring.ts
 * reads them. None holds a secret: secrets are read from Secrets Manager by their ARN.
 */
export const variables = [
  'TABLE_NAME',
  'BUCKET_NAME',
  'KEY_ARN',
  'SESSION_MACHINE_ARN',
  'DREAM_MACHINE_ARN',
  'SANDBOX_FUNCTION_NAME',
  'FIRE_FUNCTION_NAME',
  'TIMER_GROUP',
  'TIMER_ROLE_ARN',
  'MODEL_SECRET_ARN',
  'ADMIN_KEY_SECRET_ARN',
  'SEARCH_SECRET_ARN',
  'MODEL_PROVIDER',
  'MODEL_IDS',
  'PRICES',
  'MEMORIES_MAX',
  'MEMORY_VERSION_DAYS',
  'TRANSCRIPT_DAYS',
  'STEP_SIZE',
  'OTLP_ENDPOINT',
  'OTLP_HEADERS_SECRET_ARN',
] as const;

export type Variable = (typeof variables)[number];

/** Read a variable that the template must have set. @throws Error at load: a broken deployment. */
export function required(name: Variable): string {
  const value = process.env[name];
  invariant(value !== undefined && value !== '', `${name} is set in the function's environment`);
  return value;
}

/** Read a variable that a deployment may leave out. */
export function optional(name: Variable): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}
