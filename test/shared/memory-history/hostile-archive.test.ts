// Goal: an archive that lies is refused by name and leaves nothing behind. Method: a good one with one
// lie each, and any bytes at all.
import fc from 'fast-check';
import type { TarHeader } from 'modern-tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '#shared/core/fault.ts';
import { importStore } from '#shared/memory-history/import.ts';
import { startTable, type StartedTable } from '../../dynamodb.ts';
import { memoryPorts } from '../memory/store.ts';
import { imported, packed, sample, uploaded, type File } from './archives.ts';
import { call } from './history.ts';

let started: StartedTable;
beforeAll(async () => void (started = await startTable()));
afterAll(async () => await started.stop());

/** Change the text of one file. */
function edit(name: string, change: (text: string) => string) {
  return (files: readonly File[]): File[] =>
    files.map((file) =>
      file.header.name === name
        ? { ...file, body: change(Buffer.from(file.body).toString()) }
        : file,
    );
}

function add(header: Partial<TarHeader> & { name: string }, body: string | Uint8Array = 'text') {
  return (files: readonly File[]): File[] =>
    files.toSpliced(1, 0, { header: { size: 0, mtime: new Date(0), ...header }, body });
}

const lies: readonly [what: string, lie: (files: readonly File[]) => File[], said: RegExp][] = [
  ['a path that leaves the store', add({ name: 'memories/../../etc/passwd' }), /segment/],
  ['an absolute path', add({ name: '/etc/passwd' }), /no file of an export/],
  ['a symbolic link', add({ name: 'memories/x', type: 'symlink', linkname: '/' }, ''), /a symlink/],
  ['a hard link', add({ name: 'memories/x', type: 'link', linkname: 'store.json' }, ''), /a link/],
  ['a device', add({ name: 'memories/x', type: 'character-device' }, ''), /character-device/],
  ['a file of its own', add({ name: 'README.md' }), /'README.md' is no file of an export/],
  ['bytes that are no text', add({ name: 'memories/x' }, new Uint8Array([0xc3, 0x28])), /UTF-8/],
  ['a memory that is too large', add({ name: 'memories/x' }, 'x'.repeat(102_401)), /102400 bytes/],
  ['a file twice', (files) => files.toSpliced(2, 0, ...files.slice(1, 2)), /another one/],
  ['a memory below another', add({ name: 'memories/notes/a.md/x' }), /another one/],
  ['a file that no line names', add({ name: 'memories/x' }), /not in the index/],
  ['another text', edit('memories/notes/a.md', () => 'else'), /another hash than the file/],
  [
    'no history',
    (files) => files.filter(({ header }) => header.name !== 'history.jsonl'),
    /wrong place/,
  ],
  ['no index', (files) => files.slice(0, -1), /'index.jsonl' is missing/],
  ['no store', (files) => files.slice(1), /wrong place/],
  ['the index first', (files) => [...files.slice(-1), ...files.slice(0, -1)], /wrong place/],
  [
    'a store with more fields',
    edit('store.json', (text) => text.replace('{', '{"x":1,')),
    /wrong ''/,
  ],
  [
    'half of a character in its name',
    edit('store.json', (text) => text.replace('"name": "', '"name": "\\ud800')),
    /half of a surrogate pair/,
  ],
  [
    'half of a character in an id',
    edit('history.jsonl', (text) => text.replace(/("created_by":\{"\w+":")/, '$1\\ud800')),
    /half of a surrogate pair/,
  ],
  [
    'an id that no row could hold',
    edit('history.jsonl', (text) =>
      text.replace(/("created_by":\{"\w+":")/, `$1${'x'.repeat(500_000)}`),
    ),
    /<=256 characters/,
  ],
  ['history that is no JSON', edit('history.jsonl', () => 'nonsense\n'), /line 1 .* not JSON/],
  [
    'a history without its last line end',
    edit('history.jsonl', (text) => text.slice(0, -1)),
    /has no end/,
  ],
  [
    'a history that is cut',
    edit('history.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1)),
    /else than the history/,
  ],
  [
    'a history out of order',
    edit('history.jsonl', (text) => text.split('\n').slice(0, -1).toReversed().join('\n') + '\n'),
    /order of its id/,
  ],
  [
    'a version twice',
    edit('history.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1) + text),
    /order of its id/,
  ],
  [
    'another time',
    edit('history.jsonl', (text) => text.replace('T12:00:00.000Z', 'T11:00:00.000Z')),
    /another time/,
  ],
  [
    'another text in the history',
    edit('history.jsonl', (text) => text.replace('text of', 'test of')),
    /another hash/,
  ],
  [
    'another size in the history',
    edit('history.jsonl', (text) =>
      text.replace(/"content_size_bytes":\d+/, '"content_size_bytes":1'),
    ),
    /another size/,
  ],
  [
    'a creation that is a change',
    edit('history.jsonl', (text) => text.replace('"modified"', '"created"')),
    /created before/,
  ],
  [
    'a text of the deleted',
    edit('history.jsonl', (text) => text.replace('"modified"', '"deleted"')),
    /deletes a memory, and has a content/,
  ],
  [
    'a redaction by nobody',
    edit('history.jsonl', (text) =>
      text.replace('"redacted_at":null', '"redacted_at":"2026-11-21T12:00:00.000Z"'),
    ),
    /redacted by nobody/,
  ],
  [
    'a bad path in the history',
    edit('history.jsonl', (text) => text.replace('"/notes/a.md"', '"notes/a.md"')),
    /wrong path/,
  ],
  [
    'an index of another version',
    edit('index.jsonl', (text) => text.replace(/memver_\w{26}/, `memver_${'0'.repeat(26)}`)),
    /else than the history/,
  ],
  [
    'an index of another time',
    edit('index.jsonl', (text) => text.replace('T12:00:00.000Z', 'T11:00:00.000Z')),
    /another created_at/,
  ],
  [
    'an index with a line twice',
    edit('index.jsonl', (text) => text.slice(0, text.indexOf('\n') + 1) + text),
    /names a memory twice/,
  ],
  [
    'an index that leaves one out',
    edit('index.jsonl', (text) => text.slice(text.indexOf('\n') + 1)),
    /not in the index/,
  ],
];

test.each(lies)(
  'an archive with %s is refused by name, and nothing of it is left',
  async (_, lie, said) => {
    const ports = memoryPorts(started.table);
    const { files } = await sample(ports);
    const file_id = await uploaded(ports, await packed(lie(files)));
    const objects = ports.blobs.objects.size;
    const attempt = importStore(ports, call, { body: { file_id } });
    await expect(attempt).rejects.toThrow(said);
    await expect(attempt).rejects.toMatchObject({ kind: 'invalid' });
    expect(ports.blobs.objects.size).toBe(objects);
  },
);

test('whatever bytes are uploaded, they are refused as no archive', async () => {
  const ports = memoryPorts(started.table);
  const { bytes } = await sample(ports);
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.nat(bytes.byteLength - 1_024).map((size) => bytes.subarray(0, size)),
    fc
      .tuple(fc.nat(bytes.byteLength - 1_025), fc.integer({ min: 1, max: 255 }))
      .map(([at, by]) => Buffer.from(bytes).fill((bytes[at] ?? 0) ^ by, at, at + 1)),
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (data) => {
      try {
        await imported(ports, data);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        expect(error).toMatchObject({ kind: 'invalid' });
      }
    }),
    {
      numRuns: 200,
      // Cut in the first file's body: its reader meets the end, not the loop over the files.
      examples: [[bytes.subarray(0, 522)]],
    },
  );
}, 60_000);
