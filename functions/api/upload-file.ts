import type { Ports } from '#shared/core/ports.ts';
import { parseUpload } from '#shared/api-files/file-wire.ts';
import { asksOldShape, toOldShape } from '#shared/api-files/show-file.ts';
import { uploadFile as upload } from '#shared/api-files/upload-file.ts';
import type { Route } from '#shared/door/route.ts';

/** POST /v1/files: 200 with the file, 400, or 413. */
export function uploadFile(ports: Ports): Route {
  return async ({ form, betas, call }) => {
    const file = await upload(ports, call, parseUpload(form));
    return { status: 200, body: asksOldShape(betas) ? toOldShape(file) : file };
  };
}
