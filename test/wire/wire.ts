import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Answer } from '../compat/operations.ts';
import { wireSchemas } from './schemas.ts';

/** Envelopes that the package declares as classes of its client, so by hand: nulls are required. */
const pages: Readonly<Record<string, readonly string[]>> = {
  PageCursor: ['data', 'next_page'],
  BidirectionalPageCursor: ['data', 'next_page', 'prev_page'],
};

const ajv = new Ajv({ discriminator: true, allErrors: true, strict: false });
ajv.addSchema({ ...(await wireSchemas()), $id: 'wire' });
const compiled = new Map<string, ValidateFunction>();

/**
 * What is wrong with a body, one line for each fault, against the SDK's own declaration of `type`:
 * nothing missing, nothing added, nulls where they are declared. Empty when all is well.
 */
export function wireErrors(type: string, body: unknown): string[] {
  return errorsOf(type, { $ref: `wire#/definitions/${type}` }, body);
}

/** @throws Error with every difference, named by its place in the body. */
export function expectWire(type: string, body: unknown): void {
  const errors = wireErrors(type, body);
  if (errors.length > 0) throw new WireError(type, errors, body);
}

/** As {@link wireErrors}, for the answer of an operation: pages are checked with their envelope. */
export function answerErrors(answer: Answer, body: unknown): string[] {
  if (answer.kind === 'binary') return [];
  if (answer.kind === 'json' && answer.nullable && body === null) return [];
  if (answer.kind !== 'page') return wireErrors(answer.type, body);
  const keys = pages[answer.page];
  if (keys === undefined) throw new Error(`test/wire: the envelope of ${answer.page} is not known`);
  const cursor = { type: ['string', 'null'], minLength: 1 };
  const properties = Object.fromEntries(keys.map((key) => [key, cursor]));
  const data = { type: 'array', items: { $ref: `wire#/definitions/${answer.type}` } };
  const schema = {
    type: 'object',
    required: keys,
    additionalProperties: false,
    properties: { ...properties, data },
  };
  return errorsOf(`${answer.page}<${answer.type}>`, schema, body);
}

/** Errors that say more than others, with what they say: each is required, and must be a text. */
const error_fields: Readonly<Record<string, readonly string[]>> = {
  memory_path_conflict_error: ['conflicting_memory_id', 'conflicting_path'],
};

/** What is wrong with an error's envelope, given the response's `request-id` header. */
export function envelopeErrors(body: unknown, request_id: string | null): string[] {
  const error_type = (body as { error?: { type?: string } } | null)?.error?.type ?? '';
  const own_fields = error_fields[error_type] ?? [];
  const details = { type: 'object', properties: { error_code: { type: 'string' } } };
  const error = {
    type: 'object',
    required: ['type', 'message', ...own_fields],
    additionalProperties: false,
    properties: {
      ...Object.fromEntries(own_fields.map((field) => [field, { type: 'string' }])),
      type: { $ref: 'wire#/definitions/ErrorType' },
      message: { type: 'string', minLength: 1 },
      details: { anyOf: [{ ...details, required: ['error_code'] }, { type: 'null' }] },
    },
  };
  const schema = {
    type: 'object',
    required: ['type', 'error', 'request_id'],
    additionalProperties: false,
    properties: { type: { const: 'error' }, error, request_id: { type: 'string' } },
  };
  const errors = errorsOf(`error envelope ${own_fields.join(' ')}`, schema, body);
  const own = (body as { request_id?: unknown } | null)?.request_id;
  if (own !== request_id)
    errors.push(`/request_id ${String(own)} is not the header's ${request_id}`);
  return errors;
}

export class WireError extends Error {
  override readonly name = 'WireError';

  constructor(what: string, errors: readonly string[], body: unknown) {
    super(`${what} is not as the SDK declares it:\n  ${errors.join('\n  ')}\nin ${excerpt(body)}`);
  }
}

function errorsOf(name: string, schema: object, body: unknown): string[] {
  const validate = compiled.get(name) ?? ajv.compile(schema);
  compiled.set(name, validate);
  return validate(body) ? [] : (validate.errors ?? []).map((error) => sentence(error, body));
}

function sentence({ instancePath, message, params }: ErrorObject, body: unknown): string {
  const { additionalProperty, allowedValue, allowedValues } = params as Record<string, unknown>;
  const extra = additionalProperty ?? allowedValue ?? allowedValues;
  const note = extra === undefined ? '' : ` (${JSON.stringify(extra)})`;
  return `${instancePath || '/'} ${message ?? ''}${note}: ${excerpt(valueAt(body, instancePath), 80)}`;
}

function valueAt(body: unknown, pointer: string): unknown {
  const keys = pointer.split('/').slice(1);
  return keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], body);
}

function excerpt(value: unknown, chars = 1_500): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > chars ? `${text.slice(0, chars)}…` : text;
}
