// Goal: nothing that a client can send breaks a store or meets a 5xx. Method: random requests as raw
// HTTP, half of them nearly right, at one store; after each run every invariant is looked at.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin_key, startDoor, type StartedDoor } from '../api/door.ts';
import { broken } from '../../shared/memory/store.ts';

let door: StartedDoor;
beforeAll(async () => void (door = await startDoor()));
afterAll(async () => await door.stop());

async function send(method: string, path: string, body?: unknown) {
  const response = await fetch(`${door.baseURL}${path}`, {
    method,
    headers: { 'x-api-key': admin_key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as { id?: string; memory_version_id?: string };
  return { status: response.status, answer };
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('\ud800', '\u0000', '/', '..', 'e\u0301', '\u2028', '😀'),
);
const segment = fc.oneof(fc.constantFrom('a', 'b', '.', '..', '', 'é'), text);
const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }).map(joined),
  },
  fc.array(segment, { maxLength: 22 }).map(joined),
  text,
  fc.nat(1_200).map((length) => `/${'x'.repeat(length)}`),
);
const content = fc.oneof(
  text,
  fc.nat(103_000).map((length) => 'x'.repeat(length)),
);
const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined));
const hash = fc.oneof(fc.stringMatching(/^[0-9a-f]{64}$/), text, anything);
const precondition = fc.oneof(
  fc.record(
    { type: fc.oneof(fc.constant('content_sha256'), anything), content_sha256: hash },
    { requiredKeys: [] },
  ),
  anything,
);

function joined(segments: readonly string[]): string {
  return `/${segments.join('/')}`;
}

/** Each field sometimes as it should be, sometimes something else, sometimes not at all. */
const body = fc.oneof(
  { weight: 3, arbitrary: fc.record({ path, content }) },
  fc.record(
    {
      path: fc.oneof(path, anything),
      content: fc.oneof(content, anything),
      precondition,
    },
    { requiredKeys: [] },
  ),
  anything,
);
const query = fc.dictionary(
  fc.constantFrom(
    'view',
    'limit',
    'page',
    'depth',
    'path_prefix',
    'memory_id',
    'operation',
    'session_id',
    'created_at[gte]',
    'created_at[lte]',
    'expected_content_sha256',
  ),
  fc.oneof(
    fc.constantFrom('full', 'basic', '0', '1', '2', '/', '/a/', 'created', '2026-01-01T00:00:00Z'),
    fc.constantFrom('-000001-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00', '0000-01-01T00:00:00Z'),
    path,
  ),
  { maxKeys: 3 },
);
const request = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), query, body }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('create' as const), query: fc.constant({}), body }),
  },
  fc.record({ kind: fc.constant('update' as const), which: fc.nat(8), query, body }),
  fc.record({
    kind: fc.constant('update' as const),
    which: fc.nat(8),
    query: fc.constant({}),
    body,
  }),
  fc.record({ kind: fc.constant('delete' as const), which: fc.nat(8), query }),
  fc.record({ kind: fc.constant('list' as const), query }),
  fc.record({ kind: fc.constant('versions' as const), query }),
  fc.record({ kind: fc.constant('redact' as const), which: fc.nat(8), query: fc.constant({}) }),
  fc.record({ kind: fc.constant('stray' as const), query, id: text }),
);
type Sent = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

interface Known {
  readonly memories: string[];
  readonly versions: string[];
}

async function serve(store: string, sent: Sent, known: Known): Promise<number> {
  const tail = searchOf(sent.query);
  const pick = (ids: readonly string[], which: number) => ids[which % ids.length] ?? 'none';
  if (sent.kind === 'create' || sent.kind === 'update') {
    const which = sent.kind === 'update' ? `/${pick(known.memories, sent.which)}` : '';
    const { status, answer } = await send('POST', `${store}/memories${which}${tail}`, sent.body);
    if (answer.memory_version_id !== undefined) known.versions.push(answer.memory_version_id);
    if (sent.kind === 'create' && status === 200) known.memories.push(answer.id ?? '');
    return status;
  }
  if (sent.kind === 'delete') {
    const id = pick(known.memories, sent.which);
    return (await send('DELETE', `${store}/memories/${id}${tail}`)).status;
  }
  if (sent.kind === 'redact') {
    const id = pick(known.versions, sent.which);
    return (await send('POST', `${store}/memory_versions/${id}/redact${tail}`)).status;
  }
  if (sent.kind === 'stray') {
    // Without a dot: fetch would resolve a segment of dots before it sends it.
    const id = encodeURIComponent(sent.id.toWellFormed().replaceAll('.', ''));
    return (await send('GET', `${store}/memories/x${id}${tail}`)).status;
  }
  const noun = sent.kind === 'list' ? 'memories' : 'memory_versions';
  return (await send('GET', `${store}/${noun}${tail}`)).status;
}

function searchOf(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]): [string, string] => [
    name,
    value.toWellFormed(),
  ]);
  return `?${new URLSearchParams(pairs).toString()}`;
}

test('random requests are answered below 500, and leave a sound store', async () => {
  const met = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 10, maxLength: 30 }), async (requests) => {
      const { answer } = await send('POST', '/v1/memory_stores', { name: 'fuzz' });
      const id = answer.id ?? '';
      const known: Known = { memories: [], versions: [] };
      for (const sent of requests) {
        const status = await serve(`/v1/memory_stores/${id}`, sent, known);
        expect([status < 500, JSON.stringify(sent)]).toEqual([true, expect.any(String)]);
        const what = `${sent.kind} ${status}`;
        met.set(what, (met.get(what) ?? 0) + 1);
      }
      expect(await broken(door.ports, id)).toEqual([]);
    }),
    { numRuns: 25 },
  );
  // It was not all refused at the first check.
  for (const what of ['create 200', 'create 400', 'create 409', 'update 200', 'delete 200']) {
    expect([what, met.get(what) ?? 0]).not.toEqual([what, 0]);
  }
}, 120_000);
