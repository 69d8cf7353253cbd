/**
 * The doors of the deployed template beside the api's: memory stores, uploads by form, uploads past
 * API Gateway. What one function may not do shows here and nowhere else.
 */
import { createHash } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StartedUpload } from '#shared/api-files/direct-upload.ts';
import { ADMIN_KEY, startRig, type Rig } from '../rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

test('the memory function answers for memory stores, small and large', async () => {
  const { memoryStores } = rig.client.beta;
  const { id } = await memoryStores.create({ name: 'notes' });
  const content = 'ü'.repeat(20_000);
  const made = await memoryStores.memories.create(id, { path: '/large.md', content });
  const read = await memoryStores.memories.retrieve(made.id, { memory_store_id: id });
  expect(read.content).toBe(content);
  expect(await memoryStores.delete(id)).toMatchObject({ id });
});

test('a form arrives byte for byte, and one that is too large is told where to go', async () => {
  const { files } = rig.client.beta;
  const bytes = Uint8Array.from({ length: 4_400_000 }, (_, at) => (at * 31) % 256);
  const file = await files.upload({ file: new File([bytes], 'all.bin') });
  expect(file).toMatchObject({ filename: 'all.bin', size_bytes: bytes.length });
  const large = new File([new Uint8Array(5_000_000)], 'large.bin');
  // The gateway's own answers have ids of its own form, which the checked client would not take.
  const plain = new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY, maxRetries: 0 });
  await expect(plain.beta.files.upload({ file: large })).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining('POST /v1/reverie/files'),
  });
});

test('a larger file goes past the API, and only as it was announced', async () => {
  const bytes = new Uint8Array(6_000_000).fill(7);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const announced = { filename: 'big.bin', size_bytes: bytes.length, sha256 };
  const start = await rig.client.post<StartedUpload>('/v1/reverie/files', { body: announced });
  const { url, headers } = start.upload;
  const other = new Uint8Array(bytes.length).fill(8);
  const refused = await fetch(url, { method: 'PUT', headers, body: other });
  expect(refused.status).toBe(400);
  expect(await refused.text()).toContain('BadDigest');
  const sent = await fetch(url, { method: 'PUT', headers, body: bytes });
  expect(sent.status).toBe(200);
  const done = await rig.client.post(`/v1/reverie/files/${start.file.id}/complete`);
  expect(done).toMatchObject({ id: start.file.id, size_bytes: bytes.length });
  await rig.client.beta.files.delete(start.file.id);
});
