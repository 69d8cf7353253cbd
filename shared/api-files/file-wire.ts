import * as z from 'zod';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { parseBody, queryInt, queryList } from '../core/parse.ts';
import type { Form } from '../door/form.ts';

const expiresIn = z.int().min(limits.file_expiry_min_s).max(limits.file_expiry_max_s);

/** A file as a form brings it. */
export interface Upload {
  readonly bytes: Uint8Array;
  /** Empty when its sender gave none. */
  readonly filename: string;
  readonly media_type: string | undefined;
  readonly expires_in_seconds: number | undefined;
}

const UploadFields = z.strictObject({
  file: z.string().optional(),
  expires_in_seconds: z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number of seconds.')
    .transform(Number)
    .pipe(expiresIn)
    .optional(),
});

/**
 * The form of `POST /v1/files`. A part without a filename is a text field for every parser: it is
 * taken as the UTF-8 text that it is.
 *
 * @throws Fault `invalid`
 */
export function parseUpload({ fields, files }: Form): Upload {
  const { file: text, expires_in_seconds } = parseBody(UploadFields, fields);
  const { file, ...others } = files;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new Fault('invalid', `${other.slice(0, 80)}: unknown field. Send one file, as 'file'.`);
  }
  if (file !== undefined) return { ...file, expires_in_seconds };
  if (text === undefined) {
    throw new Fault('invalid', "file: is required. Send the file as the form's part 'file'.");
  }
  if (text.includes('\uFFFD')) {
    throw new Fault('invalid', 'file: is not text. Give the part a filename.');
  }
  return { bytes: Buffer.from(text), filename: '', media_type: undefined, expires_in_seconds };
}

const FileId = z.string().min(1).max(128);

export const FileListQuery = z
  .strictObject({
    ids: queryList(FileId).optional(),
    limit: queryInt(1, limits.files_page_max).optional(),
    page: z.string().optional(),
    scope_id: z.string().max(128).optional(),
  })
  .refine(({ ids, limit, page }) => ids === undefined || (limit ?? page) === undefined, {
    path: ['ids'],
    message: 'cannot stand beside limit or page. Leave those out.',
  })
  .refine(({ ids = [] }) => new Set(ids).size <= limits.file_ids_max, {
    path: ['ids'],
    message: `has more than ${limits.file_ids_max} different ids.`,
  });
export type FileListQuery = z.output<typeof FileListQuery>;

/** The list of `files-api-2025-04-14`. */
export const OldFileListQuery = z
  .strictObject({
    limit: queryInt(1, limits.files_page_max).optional(),
    after_id: FileId.optional(),
    before_id: FileId.optional(),
    scope_id: z.string().max(128).optional(),
  })
  .refine(({ after_id, before_id }) => after_id === undefined || before_id === undefined, {
    path: ['before_id'],
    message: 'cannot stand beside after_id. Leave one out.',
  });
export type OldFileListQuery = z.output<typeof OldFileListQuery>;

/** `POST /v1/reverie/files`: a file that goes to the bucket directly. */
export const UploadCreate = z.strictObject({
  filename: z.string().min(1),
  mime_type: z.string().max(255).optional(),
  size_bytes: z.int().min(0).max(limits.upload_bytes_max),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be the SHA-256 of the content, in 64 hex digits.')
    .transform((text) => text.toLowerCase()),
  expires_in_seconds: expiresIn.optional(),
});
export type UploadCreate = z.output<typeof UploadCreate>;
