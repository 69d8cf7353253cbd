import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { Counting } from '../counting.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { record } from '../template/template.ts';
import { jsonFailure, type Plan, type Reply, type Service, type WireRequest } from '../wire.ts';
import { permissionsOf, type Judging } from './authorize.ts';
import {
  answer_chars_max,
  answerOf,
  itemsOf,
  keyIn,
  nameOf,
  requestFor,
  rowReadOf,
  rowsLeft,
  rowsWritten,
  unitsOf,
  type RowRead,
  type TableKeys,
} from './cached-reads.ts';
import type { Engine } from './engine.ts';
import { checkQueryKeys } from './query-keys.ts';
import { Repeats } from './repeats.ts';
import { RowCache, rowOf, type CachedRow } from './row-cache.ts';
import type { TableOfStack } from './tables.ts';
import { Turns } from './turns.ts';

const reading = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'TransactGetItems']);
const writing = new Set(
  'PutItem UpdateItem DeleteItem BatchWriteItem TransactWriteItems'.split(' '),
);
const gone = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Passes calls on to the engine, byte for byte, once they are judged; but for rows that it has read
 * before and that nobody has written since: see {@link RowCache}.
 */
export class DynamoService implements Service {
  readonly #engine: Engine;
  readonly #judging: Judging;
  readonly #counting: Counting;
  readonly #keys: TableKeys;
  readonly #cache: RowCache | undefined;
  readonly #repeats = new Repeats();
  readonly #turns = new Turns();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(
    engine: Engine,
    tables: readonly TableOfStack[],
    authorizer: Authorizer,
    counting: Counting,
  ) {
    this.#engine = engine;
    this.#counting = counting;
    this.#keys = Object.fromEntries(tables.map(({ name, keys }) => [name, keys]));
    // Of an engine that is not ours others may be clients, too.
    this.#cache = engine.own ? new RowCache() : undefined;
    this.#judging = {
      hash_keys: Object.fromEntries(tables.map(({ name, hash_key }) => [name, hash_key])),
      leading_keys: authorizer.asksFor('dynamodb:leadingkeys'),
    };
  }

  plan(request: WireRequest): Plan {
    const target = String(request.headers['x-amz-target'] ?? '');
    const action = target.slice(target.indexOf('.') + 1);
    const body = record(JSON.parse(request.body.toString('utf8')));
    const permissions = permissionsOf(action, body, this.#judging);
    return {
      action,
      resource: permissions[0]?.resource ?? '*',
      permissions,
      body,
      run: () => this.#perform(request, action, body),
    };
  }

  failure = jsonFailure;

  /** Do what writes rows behind our back: meanwhile none is kept. */
  async withoutCache(work: () => Promise<unknown>): Promise<void> {
    this.#cache?.close();
    try {
      await work();
    } finally {
      this.#cache?.open();
    }
  }

  async #perform(request: WireRequest, action: string, body: object): Promise<Reply> {
    if (action === 'Query') checkQueryKeys(record(body));
    const cache = this.#cache;
    if (cache === undefined) return await this.#forward(request, action, body);
    if (reading.has(action)) {
      const read = rowReadOf(action, record(body), this.#keys);
      const reply = read && (await this.#readRows(request, read, cache));
      return reply ?? (await this.#forward(request, action, body));
    }
    const names = rowsWritten(action, record(body), this.#keys);
    const before = names === undefined ? undefined : cache.beginWriting(names);
    if (before === undefined) cache.clear();
    const is_repeat = this.#repeats.note(record(body)['ClientRequestToken']);
    let left: ReadonlyMap<string, CachedRow> | undefined;
    try {
      const reply = await this.#forward(request, action, body);
      if (reply.status === 200 && before !== undefined && !is_repeat) {
        left = rowsLeft(action, record(body), { tables: this.#keys, before });
      }
      return reply;
    } finally {
      if (names === undefined) cache.clear();
      else cache.endWriting(names, left);
    }
  }

  /** Only what the cache does not know is asked of the engine. Undefined where that must say it all. */
  async #readRows(
    request: WireRequest,
    read: RowRead,
    cache: RowCache,
  ): Promise<Reply | undefined> {
    const known = new Map<string, CachedRow>();
    for (const name of read.names) {
      const row = cache.get(name);
      if (row !== undefined) known.set(name, row);
    }
    const failed = await this.#readMissing(request, read, { cache, known });
    if (failed !== undefined) return failed;
    const rows = read.names.flatMap((name) => known.get(name) ?? []);
    const chars = rows.reduce((sum, { json }) => sum + json.length, 0);
    if (rows.length < read.names.length || chars > answer_chars_max) return undefined;
    this.#counting.of(request.principal.function_name).read_units += unitsOf(read, rows);
    const type = { 'content-type': 'application/x-amz-json-1.0' };
    const headers = { ...type, 'x-amzn-requestid': randomUUID() };
    return { status: 200, headers, body: answerOf(read, rows) };
  }

  /** Adds to what is known. @returns the engine's own answer where it refuses */
  async #readMissing(
    request: WireRequest,
    read: RowRead,
    { cache, known }: { readonly cache: RowCache; readonly known: Map<string, CachedRow> },
  ): Promise<Reply | undefined> {
    const missing = read.keys.filter((_, index) => !known.has(read.names[index] ?? ''));
    if (missing.length === 0) return undefined;
    const names = read.names.filter((name) => !known.has(name));
    const reading_now = cache.beginReading(names);
    const fresh = new Map<string, CachedRow>();
    try {
      const asked = Buffer.from(JSON.stringify(requestFor(read, missing)));
      const reply = await this.#send(request, asked);
      if (reply.status !== 200) return reply;
      const items = itemsOf(read, record(JSON.parse(reply.body.toString('utf8'))));
      if (items === undefined) return undefined;
      for (const name of names) fresh.set(name, rowOf(null));
      const attributes = this.#keys[read.table];
      for (const item of items) {
        const name = nameOf(read.table, keyIn(item, attributes), attributes);
        if (name !== undefined) fresh.set(name, rowOf(record(item)));
      }
      for (const [name, row] of fresh) known.set(name, row);
      return undefined;
    } finally {
      cache.endReading(reading_now, fresh);
    }
  }

  async #forward(request: WireRequest, action: string, body: object): Promise<Reply> {
    const metered = reading.has(action) || writing.has(action);
    const asks = 'ReturnConsumedCapacity' in body;
    const sent = metered && !asks ? withCapacity(request.body) : request.body;
    const reply = await this.#send(request, sent);
    if (!metered || reply.status !== 200) return reply;
    const answer = splitCapacity(reply.body);
    this.#meter(request, action, answer.capacity);
    // Who did not ask for it need not parse it. The sum of the bytes goes with it.
    const { 'x-amz-crc32': _, ...headers } = reply.headers;
    return asks ? reply : { ...reply, headers, body: answer.rest };
  }

  async #send(request: WireRequest, body: Buffer): Promise<Relayed> {
    const caller = String(request.headers['x-amzn-trace-id']);
    return await this.#turns.take(caller, () => this.#ask(request, body));
  }

  #ask({ headers }: WireRequest, body: Buffer): Promise<Relayed> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(this.#engine.url, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': headers['content-type'],
          'content-length': body.length,
          'x-amz-target': headers['x-amz-target'],
          // The engine wants a signature and does not check it.
          authorization: headers.authorization,
          'x-amz-date': headers['x-amz-date'],
        },
      });
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => resolve(relayed(incoming.statusCode, incoming.headers, chunks)));
      });
      outgoing.once('error', (cause: NodeJS.ErrnoException) => {
        const lost = gone.has(cause.code ?? '');
        reject(lost ? new AwsError('InternalServerError', 'The engine went away.', 500) : cause);
      });
      outgoing.end(body);
    });
  }

  #meter({ principal }: WireRequest, action: string, capacity: unknown): void {
    const each = Array.isArray(capacity) ? capacity : [capacity];
    const units = each.map((one) => Number(record(one)['CapacityUnits'] ?? 0));
    const sum = units.reduce((total, unit) => total + unit, 0);
    const usage = this.#counting.of(principal.function_name);
    if (reading.has(action)) usage.read_units += sum;
    else usage.write_units += sum;
  }
}

/** Ask the engine what the call costs, without writing the body anew: one field at its beginning. */
function withCapacity(body: Buffer): Buffer {
  const rest = body.subarray(body.indexOf('{') + 1);
  return Buffer.concat([Buffer.from('{"ReturnConsumedCapacity":"TOTAL",'), rest]);
}

const capacity_field = Buffer.from('"ConsumedCapacity":');

/**
 * What a call has cost, and its answer without it. The engine says it last, so a large answer is not
 * parsed for it; from an engine that does not, the answer is.
 */
function splitCapacity(body: Buffer): { readonly capacity: unknown; readonly rest: Buffer } {
  // In a string of JSON its quotes would be escaped.
  const at = body.lastIndexOf(capacity_field);
  if (at === -1) return { capacity: undefined, rest: body };
  try {
    const last = body.toString('utf8', at + capacity_field.length, body.length - 1);
    const capacity: unknown = JSON.parse(last);
    // With the comma before it, where it is not alone.
    const end = body[at - 1] === 0x2c ? at - 1 : at;
    return { capacity, rest: Buffer.concat([body.subarray(0, end), Buffer.from('}')]) };
  } catch {
    const { ConsumedCapacity: capacity, ...rest } = record(JSON.parse(body.toString('utf8')));
    return { capacity, rest: Buffer.from(JSON.stringify(rest)) };
  }
}

interface Relayed extends Reply {
  readonly body: Buffer;
}

function relayed(
  status: number | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  chunks: Buffer[],
): Relayed {
  const kept = ['content-type', 'x-amzn-requestid', 'x-amz-crc32'];
  const sent = kept.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  return { status: status ?? 500, headers: Object.fromEntries(sent), body: Buffer.concat(chunks) };
}
