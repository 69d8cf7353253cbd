import { createHash } from 'node:crypto';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import Anthropic from '@anthropic-ai/sdk';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { RouteName } from '#shared/routes.ts';
import type { Hooks } from '../../infra/local/gateway.ts';
import { ADMIN_KEY, startRig, type Rig } from '../rig.ts';
import { Receiver } from '../shared/traces/receiver.ts';
import { sendsSpans } from './canaries.ts';
import { faultsOf } from './judge.ts';
import { mutate, type Hostile } from './mutations.ts';
import { Random } from './random.ts';
import { isMade, refused, routeNames, sampleOf, type Sample } from './samples.ts';
import { Sender } from './send.ts';
import { typedBody, typedQuery } from './typed.ts';
import type { Kit } from './worse.ts';
import { makeWorld, newWorkspace, worldly, type World } from './world.ts';

/** What fell, in words that let it be sent again. */
export interface Fallen {
  readonly n: number;
  readonly route: RouteName;
  readonly what: string;
  readonly faults: readonly string[];
  readonly sent: string;
}

export interface Siege {
  readonly fallen: readonly Fallen[];
  /** Answers by their status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What of another workspace was changed; empty when nothing was. */
  readonly changed: readonly string[];
}

/** Functions that serve requests: while one is refused they write nothing. */
const doors = new Set(['api', 'memory']);
const writing = /^(Put|Update|Delete)Item$|^TransactWriteItems$|^BatchWriteItem$|^StartExecution$/;

/** Counts what the functions behind the door have written. */
class Ledger {
  written: string[] = [];

  readonly hooks: Hooks = {
    after: ({ function_name, service, action }, { status }) => {
      if (doors.has(function_name) && status === 200 && writing.test(action)) {
        this.written.push(`${service}:${action}`);
      }
    },
  };
}

/** The platform with two workspaces: one that attacks, and one that must not notice. */
export interface Field {
  readonly rig: Rig;
  readonly ledger: Ledger;
  readonly own: World;
  readonly other: World;
  /** Where spans of both are sent to. */
  readonly spans: Receiver;
  close(): Promise<void>;
}

export async function openField(): Promise<Field> {
  const ledger = new Ledger();
  const spans = new Receiver();
  const endpoint = await spans.start();
  const rig = await startRig({
    hooks: ledger.hooks,
    template: (template) => sendsSpans(template, endpoint),
  });
  rig.model.otherwise(worldly);
  const admin = new ReverieClient(new Anthropic({ baseURL: rig.host.base_url, apiKey: ADMIN_KEY }));
  const worldOf = async (name: string): Promise<World> => {
    const workspace = await newWorkspace(admin, name);
    const options = { baseURL: rig.host.base_url, apiKey: workspace.key, maxRetries: 0 };
    return await makeWorld(rig, new Anthropic(options), workspace);
  };
  const own = await worldOf('attacker');
  const other = await worldOf('bystander');
  const close = async () => {
    await rig.close();
    await spans.stop();
  };
  return { rig, ledger, own, other, spans, close };
}

/** Send `count` requests of which each has something wrong with it. */
export async function besiege(
  { rig, ledger, own, other }: Field,
  {
    seed,
    count,
    progress = () => {},
  }: {
    readonly seed: number;
    readonly count: number;
    readonly progress?: (sent: number) => void;
  },
): Promise<Siege> {
  const random = new Random(seed);
  const kit = { random, key: own.key, foreign: other.ids };
  const sender = new Sender(rig.host.base_url);
  const samples = new Map<RouteName, Sample>();
  const fallen: Fallen[] = [];
  const statuses: Record<string, number> = {};
  const before = await rowsOf(rig, other);
  for (let n = 0; n < count; n++) {
    const route = routeNames[n % routeNames.length] as RouteName;
    // oxlint-disable-next-line no-await-in-loop -- one at a time: what is written is this one's doing
    const sample = samples.get(route) ?? (await sampleOf(route, own));
    samples.set(route, sample);
    const hostile = hostileOf(sample, random, kit);
    ledger.written = [];
    // oxlint-disable-next-line no-await-in-loop -- as above
    const { status, faults } = await trial(sender, hostile);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status >= 400 && ledger.written.length > 0) {
      faults.push(`refused with ${status}, and wrote ${ledger.written.join(' ')}`);
    }
    if (faults.length > 0) fallen.push(fallenOf(n, route, hostile, faults));
    // What was taken may have gone with it.
    if (status < 400 && !route.startsWith('GET')) samples.delete(route);
    if (n % 500 === 499) progress(n + 1);
  }
  sender.close();
  const after = await rowsOf(rig, other);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.get(key) !== after.get(key),
  );
  return { fallen, statuses, changed };
}

/** Every second one is as the SDK's types allow it, and not as a sample has it. */
function hostileOf(sample: Sample, random: Random, kit: Kit): Hostile {
  const is_good = isMade(sample.route) && !(sample.route in refused);
  if (is_good && random.chance(0.5)) return mutate(sample, kit);
  const body = typedBody(sample.route, sample.ids, random) ?? sample.body;
  const query = { ...sample.query, ...typedQuery(sample.route, sample.ids, random) };
  // What is wrong with it first may be something else: the types do not tell all.
  const { field: _, ...hostile } = mutate({ ...sample, body, query }, kit);
  return hostile;
}

async function trial(
  sender: Sender,
  hostile: Hostile,
): Promise<{ readonly status: number; readonly faults: string[] }> {
  try {
    const answer = await sender.send(hostile.request);
    return { status: answer.status, faults: faultsOf(hostile, answer) };
  } catch (error) {
    return { status: 0, faults: [`no answer: ${String(error)}`] };
  }
}

function fallenOf(
  n: number,
  route: RouteName,
  { what, request }: Hostile,
  faults: string[],
): Fallen {
  const { method, target, body = '' } = request;
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
  return {
    n,
    route,
    what,
    faults,
    sent: `${method} ${target.slice(0, 300)} ${text.slice(0, 600)}`,
  };
}

/** A hash of each row of a workspace: those that have its id, or one of its things, in them. */
async function rowsOf({ host }: Rig, { workspace_id, ids }: World): Promise<Map<string, string>> {
  const client = new DynamoDBClient(host.aws);
  const marks = [workspace_id, ...Object.values(ids).map((id) => id.slice(id.indexOf('_') + 1))];
  const rows = new Map<string, string>();
  let from: Record<string, never> | undefined;
  do {
    const scan = new ScanCommand({
      TableName: String(host.outputs['TableName']),
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    });
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = await client.send(scan);
    for (const row of page.Items ?? []) {
      const text = JSON.stringify(row, Object.keys(row).toSorted());
      const whole = JSON.stringify(row);
      if (!marks.some((mark) => mark.length > 9 && whole.includes(mark))) continue;
      const key = `${row['pk']?.S} ${row['sk']?.S}`;
      rows.set(
        key,
        createHash('sha256')
          .update(text + sortedText(row))
          .digest('hex'),
      );
    }
    from = page.LastEvaluatedKey as typeof from;
  } while (from !== undefined);
  client.destroy();
  return rows;
}

/** Names of objects in one order: a table's maps come in any. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    return Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
