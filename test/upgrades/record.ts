import { DynamoDBClient, ScanCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadAssembly } from '../../infra/local/assembly.ts';
import type { Host } from '../../infra/local/host.ts';
import { startRig } from '../rig.ts';
import { liveADay } from './day.ts';
import { asLine, fixtures, machinesOf, type StoredItem, type StoredObject } from './fixture.ts';

const usage = `Live a day on a local host, and keep what it has left behind as the fixture of a version.

  npx node test/upgrades/record.ts [--version 0.1.0]

Run it once for each release, before it is published, and commit what it writes to
test/upgrades/fixtures/<version>. A fixture is never recorded again: it stands for what customers have.

  --version  Of the release. Default: that of package.json.
  --force    Write over a fixture that stands.
  --help     This text.
`;

/** Every item of the table, as DynamoDB has it. */
export async function itemsOf({ aws, outputs }: Host): Promise<StoredItem[]> {
  const client = new DynamoDBClient(aws);
  const items: StoredItem[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const TableName = String(outputs['TableName']);
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey: from }));
    items.push(...((page.Items ?? []) as StoredItem[]));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  client.destroy();
  return items.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

const placeOf = ({ pk, sk }: StoredItem): string => `${pk?.S} ${sk?.S}`;

/** Every object of the bucket. */
async function objectsOf({ aws, outputs }: Host): Promise<StoredObject[]> {
  const client = new S3Client({ ...aws, forcePathStyle: true });
  const Bucket = String(outputs['BucketName']);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const read = async (Key: string): Promise<StoredObject> => {
    const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const text = bytes.toString('utf8');
    const is_text = Buffer.from(text).equals(bytes);
    const body = is_text ? { text } : { base64: bytes.toString('base64') };
    return { key: Key, content_type: ContentType ?? 'application/octet-stream', ...body };
  };
  const objects = await Promise.all(Contents.map(async ({ Key = '' }) => await read(Key)));
  client.destroy();
  return objects;
}

/** Keys of the idempotency of a day, and marks of who listens, are gone before anybody upgrades. */
const short_lived = /^(IDEMPOTENCY|LISTEN)#/;

async function machines(): Promise<string> {
  const { template } = await loadAssembly(() => undefined);
  return `${JSON.stringify(machinesOf(template), undefined, 2)}\n`;
}

async function record(version: string, is_forced: boolean): Promise<string> {
  const folder = join(fixtures, version);
  await mkdir(folder, { recursive: is_forced });
  const rig = await startRig();
  try {
    const day = await liveADay(rig);
    const items = (await itemsOf(rig.host)).filter(({ pk }) => !short_lived.test(pk?.S ?? ''));
    const objects = await objectsOf(rig.host);
    await writeFile(join(folder, 'day.json'), `${JSON.stringify(day, undefined, 2)}\n`);
    await writeFile(join(folder, 'items.jsonl'), items.map(asLine).join(''));
    await writeFile(join(folder, 'machines.json'), await machines());
    await writeFile(join(folder, 'objects.jsonl'), objects.map(asLine).join(''));
    return `${items.length} items and ${objects.length} objects in ${folder}`;
  } finally {
    await rig.close();
  }
}

async function ownVersion(): Promise<string> {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

if (process.argv[1]?.endsWith('record.ts') === true) {
  const { values } = parseArgs({
    options: {
      version: { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const said = values.help
    ? usage
    : await record(values.version ?? (await ownVersion()), values.force);
  process.stdout.write(`${said}\n`);
}
