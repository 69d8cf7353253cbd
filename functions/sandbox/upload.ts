import { askStore } from './store.ts';

/** Put new contents where the request says. Runs twice: the same bytes under the same key. */
export async function upload(url: string, bytes: Uint8Array): Promise<void> {
  const response = await askStore(url, { method: 'PUT', body: new Uint8Array(bytes) });
  if (!response.ok) throw new Error(`the store refused an upload: ${response.status}`);
}
