import { packTar, unpackTar, type TarHeader } from 'modern-tar';
import { fileKey, fileListKeys, fileObject, type ApiFile } from '#shared/api-files/api-file.ts';
import { exportStore } from '#shared/memory-history/export.ts';
import { importStore, type StoreImport } from '#shared/memory-history/import.ts';
import { sha256Of } from '#shared/memory/content.ts';
import { readMemories } from '#shared/memory/read-store.ts';
import { writeMemories } from '#shared/memory/write-memories.ts';
import { actor, putStore, workspace_id, type TestMemoryPorts } from '../memory/store.ts';
import { call, tick } from './history.ts';

export async function exported(ports: TestMemoryPorts, store_id: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await exportStore(ports, call, store_id)).chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function uploaded(ports: TestMemoryPorts, bytes: Uint8Array): Promise<string> {
  const file_id = ports.newId('file');
  const created_at = ports.clock.now().toISOString();
  const file: ApiFile = {
    ...fileKey(file_id),
    schema: 1,
    file_id,
    workspace_id,
    filename: 'store.tar',
    mime_type: 'application/x-tar',
    size_bytes: bytes.byteLength,
    sha256: sha256Of(''),
    created_at,
    expires_on: null,
    state: 'ready',
    downloadable: false,
    scope: null,
    source: { object: fileObject(file_id) },
    ...fileListKeys({ workspace_id, file_id, created_at }),
  };
  await ports.table.transact([{ put: file }]);
  await ports.blobs.put(fileObject(file_id), bytes);
  return file_id;
}

export async function imported(ports: TestMemoryPorts, bytes: Uint8Array): Promise<StoreImport> {
  const file_id = await uploaded(ports, bytes);
  return await importStore(ports, call, { body: { file_id } });
}

export interface File {
  readonly header: TarHeader;
  readonly body: string | Uint8Array;
}

const PATHS = ['/notes/a.md', '/notes/b.md', '/große Wörter/記憶'];

/** A store with some history, and the files of its archive. */
export async function sample(ports: TestMemoryPorts) {
  const store_id = await putStore(ports);
  for (const path of PATHS) {
    const operation = { kind: 'create', path, content: `text of ${path}\n` } as const;
    await writeMemories(ports, { store_id, actor, operations: [operation] });
  }
  tick(ports);
  const [before] = await readMemories(ports.table, store_id);
  if (before === undefined) throw new Error('no memory');
  const operation = { kind: 'write', before, content: 'changed '.repeat(1_000) } as const;
  await writeMemories(ports, { store_id, actor, operations: [operation] });
  const bytes = await exported(ports, store_id);
  const files: File[] = (await unpackTar(bytes)).map(({ header, data }) => ({
    header,
    body: data ?? '',
  }));
  return { store_id, bytes, files };
}

export async function packed(files: readonly File[]): Promise<Uint8Array> {
  return await packTar(
    files.map(({ header, body }) => {
      const bytes = Buffer.from(body);
      return { header: { ...header, size: bytes.byteLength }, body: bytes };
    }),
  );
}
