import type { Anthropic } from '@anthropic-ai/sdk';
import type { StartedUpload } from '../api-files/direct-upload.ts';
import type { UploadedFile } from '../api-files/show-file.ts';

export interface FileUploadParams {
  /** Only its last part is kept. @default - the name of the file at `path` */
  readonly filename?: string;
  /** @default - by the extension of the name */
  readonly mime_type?: string;
  /** 3,600 to 7,776,000. @default - the file does not expire */
  readonly expires_in_seconds?: number;
}

export interface UploadOptions {
  /** How much of the content has been sent. */
  readonly onProgress?: (sent_bytes: number, size_bytes: number) => void;
}

export interface FileStartParams extends FileUploadParams {
  readonly filename: string;
  readonly size_bytes: number;
  /** Hex, of the whole content. */
  readonly sha256: string;
}

/** Files of up to 500 MB, which go to the bucket directly: `/v1/reverie/files`. */
export class Files {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  /**
   * Upload a file: it is hashed, announced, sent and completed.
   *
   * @param content A path, or the bytes; these need a `filename`.
   * @throws Error when the bucket refuses the bytes; the client's own errors for everything else
   */
  async upload(
    content: string | Blob | Uint8Array,
    params: FileUploadParams = {},
    { onProgress = () => {} }: UploadOptions = {},
  ): Promise<UploadedFile> {
    const blob = await blobOf(content);
    const filename = params.filename ?? (typeof content === 'string' ? content : '');
    const { file, upload } = await this.start({
      ...params,
      filename,
      size_bytes: blob.size,
      sha256: await hashOf(blob),
    });
    await send(blob, upload, onProgress);
    return await this.complete(file.id);
  }

  /** Announce a file; its bytes then go to the URL with exactly the headers that the answer has. */
  async start(body: FileStartParams): Promise<StartedUpload> {
    return await this.#client.post('/v1/reverie/files', { body });
  }

  /** Its bytes are there: it is a file from now on. Safe to repeat. */
  async complete(id: string): Promise<UploadedFile> {
    return await this.#client.post(`/v1/reverie/files/${encodeURIComponent(id)}/complete`);
  }
}

/** Nothing of a file at a path is read yet. */
async function blobOf(content: string | Blob | Uint8Array): Promise<Blob> {
  if (content instanceof Blob) return content;
  if (typeof content !== 'string') return new Blob([new Uint8Array(content)]);
  const { openAsBlob } = await import('node:fs');
  return await openAsBlob(content);
}

async function hashOf(blob: Blob): Promise<string> {
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  for await (const chunk of blob.stream()) hash.update(chunk);
  return hash.digest('hex');
}

async function send(
  blob: Blob,
  { url, method, headers }: StartedUpload['upload'],
  onProgress: (sent_bytes: number, size_bytes: number) => void,
): Promise<void> {
  let sent_bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent_bytes += chunk.length;
      controller.enqueue(chunk);
      onProgress(sent_bytes, blob.size);
    },
  });
  const body = blob.size === 0 ? '' : blob.stream().pipeThrough(counted);
  const response = await fetch(url, { method, headers, body, duplex: 'half' } as RequestInit);
  if (response.ok) return;
  const answer = await response.text();
  throw new Error(`The upload was refused with ${response.status}: ${answer.slice(0, 500)}`);
}
