import {
  BatchWriteItemCommand,
  DynamoDBClient,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../infra/local/host.ts';
import type { Template } from '../../infra/local/template/template.ts';
import type { Day } from './day.ts';

/** The data of each release, by its version. */
export const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

/** As DynamoDB has it; bytes as text in base64. */
export type StoredItem = Record<string, AttributeValue>;

/** The definition of each state machine, as its template has it, by its logical id. */
export type Machines = Readonly<Record<string, unknown>>;

export interface StoredObject {
  readonly key: string;
  readonly content_type: string;
  readonly text?: string;
  readonly base64?: string;
}

export function versions(): string[] {
  return readdirSync(fixtures).toSorted();
}

/** One line of a fixture. */
export function asLine(value: object): string {
  // Not the value that is given: a Buffer has been made an array of numbers before.
  return `${JSON.stringify(value, function inBase64(this: object, name, one: unknown) {
    const own = (this as Record<string, unknown>)[name];
    return own instanceof Uint8Array ? { base64: Buffer.from(own).toString('base64') } : one;
  })}\n`;
}

export async function readDay(version: string): Promise<Day> {
  return JSON.parse(await readFile(join(fixtures, version, 'day.json'), 'utf8')) as Day;
}

export async function readItems(version: string): Promise<StoredItem[]> {
  const lines = await linesOf(version, 'items.jsonl');
  return lines.map((line) => JSON.parse(line, asBytes) as StoredItem);
}

export function machinesOf({ Resources }: Template): Machines {
  const all = Object.entries(Resources).filter(
    ([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine',
  );
  return Object.fromEntries(
    all.map(([id, { Properties }]) => [id, Properties?.['DefinitionString']]),
  );
}

/**
 * Today's template with the state machines of a release: an execution goes on by the definition that it
 * has begun with, while the functions that it calls are new already.
 */
export async function withMachinesOf(version: string): Promise<(template: Template) => Template> {
  const text = await readFile(join(fixtures, version, 'machines.json'), 'utf8');
  const machines = Object.entries(JSON.parse(text) as Machines);
  return (template) => {
    const old = machines.map(([id, DefinitionString]) => {
      const now = template.Resources[id];
      if (now === undefined) throw new Error(`There is no machine ${id} any more.`);
      return [id, { ...now, Properties: { ...now.Properties, DefinitionString } }] as const;
    });
    return { ...template, Resources: { ...template.Resources, ...Object.fromEntries(old) } };
  };
}

/** Put what a release has left behind into a host's own table and bucket, over their wire. */
export async function loadFixture({ aws, outputs }: Host, version: string): Promise<void> {
  const TableName = String(outputs['TableName']);
  const db = new DynamoDBClient(aws);
  const items = await readItems(version);
  for (let at = 0; at < items.length; at += 25) {
    const requests = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
    // oxlint-disable-next-line no-await-in-loop -- a batch takes 25
    await db.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
  }
  db.destroy();
  const s3 = new S3Client({ ...aws, forcePathStyle: true });
  for (const line of await linesOf(version, 'objects.jsonl')) {
    const { key: Key, content_type: ContentType, text, base64 } = JSON.parse(line) as StoredObject;
    const Body = base64 === undefined ? (text ?? '') : Buffer.from(base64, 'base64');
    const object = { Bucket: String(outputs['BucketName']), Key, Body, ContentType };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await s3.send(new PutObjectCommand(object));
  }
  s3.destroy();
}

async function linesOf(version: string, name: string): Promise<string[]> {
  const text = await readFile(join(fixtures, version, name), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** An attribute of bytes is written as `{"B": {"base64": …}}`. */
function asBytes(name: string, value: unknown): unknown {
  if (name !== 'B') return value;
  return Buffer.from((value as { base64: string }).base64, 'base64');
}
