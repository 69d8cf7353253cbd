import type { Ports } from '../core/ports.ts';
import { fileKey, fileObject, scopeKey, type ApiFile } from './api-file.ts';

export type RemovePorts = Pick<Ports, 'table' | 'blobs'>;

/** Remove a file that nobody sees any more; the row goes last, so that a repeat finds it. */
export async function removeFile(ports: RemovePorts, file: ApiFile): Promise<void> {
  await removeObject(ports, file);
  await ports.table.deleteMany([scopeKey(file.file_id), fileKey(file.file_id)]);
}

/** Safe to repeat. */
export async function removeObject({ blobs }: RemovePorts, file: ApiFile): Promise<void> {
  const object = ownObject(file);
  if (object !== undefined) await blobs.delete([object]);
}

/** The object that goes with the file; a session's file only points into its session. */
function ownObject({ source, file_id }: ApiFile): string | undefined {
  return 'object' in source && source.object === fileObject(file_id) ? source.object : undefined;
}
