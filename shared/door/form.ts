import { createHash } from 'node:crypto';
import { Fault } from '../core/fault.ts';
import type { HttpRequest } from '../core/http.ts';

/** A file of a form: as its sender named and typed it. */
export interface FormFile {
  readonly filename: string;
  readonly media_type: string;
  readonly bytes: Uint8Array;
}

/** A parsed multipart/form-data body: every name stands once. */
export interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, FormFile>>;
}

export const no_form: Form = { fields: {}, files: {} };

/**
 * The form of a request's body.
 *
 * @throws Fault `media` for another content type; Fault `invalid` for no body, for what cannot be
 *   parsed, and for a name that stands twice.
 */
export async function readForm(http: HttpRequest): Promise<Form> {
  const content_type = http.headers['content-type'] ?? '';
  if (content_type.split(';')[0]?.trim().toLowerCase() !== 'multipart/form-data') {
    throw new Fault('media', 'content-type: must be multipart/form-data.');
  }
  if (http.body === undefined) {
    throw new Fault('invalid', 'The request has no body. Send a form as multipart/form-data.');
  }
  const fields = new Map<string, string>();
  const files = new Map<string, FormFile>();
  for (const [name, value] of (await parse(http.body, content_type)).entries()) {
    if (fields.has(name) || files.has(name)) {
      throw new Fault('invalid', `The form has '${name.slice(0, 80)}' twice. Send it once.`);
    }
    // An own property here, but every copy by assignment would set the prototype.
    if (name === '__proto__') {
      throw new Fault('invalid', "The form has a field '__proto__', which is not allowed.");
    }
    if (typeof value === 'string') fields.set(name, value);
    else files.set(name, await fileOf(value));
  }
  return { fields: Object.fromEntries(fields), files: Object.fromEntries(files) };
}

/** Node's own parser is the one that fetch has. */
async function parse(body: Uint8Array | string, content_type: string): Promise<FormData> {
  const bytes = new Uint8Array(Buffer.from(body));
  try {
    return await new Response(bytes, { headers: { 'content-type': content_type } }).formData();
  } catch (cause) {
    throw new Fault('invalid', 'The body is not valid multipart/form-data.', { cause });
  }
}

async function fileOf(file: File): Promise<FormFile> {
  return {
    filename: file.name,
    media_type: file.type,
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
}

/**
 * What a form says, for comparing two requests. Not the body's own bytes: every attempt of a client
 * draws another boundary.
 */
export function summaryOf({ fields, files }: Form): unknown {
  const summaries = Object.entries(files).map(([name, { filename, media_type, bytes }]) => [
    name,
    filename,
    media_type,
    createHash('sha256').update(bytes).digest('hex'),
  ]);
  return { fields, files: summaries };
}
