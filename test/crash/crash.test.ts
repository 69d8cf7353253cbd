/**
 * Rule: whatever dies, wherever it dies, the session ends as it would have ended. One rich session
 * (parallel tools, a confirmation, a retryable model error, an interrupt) is driven through the
 * SDK, and the step function is killed at every call that it makes, before and after it, in turn.
 * Each time the same events must stand in the log, once each, no tool must have run twice, and the
 * segments of the transcript must be the log.
 */
import Anthropic from '@anthropic-ai/sdk';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { startHost, type Host } from '../../infra/local/host.ts';
import { Crash } from '../../infra/local/aws-error.ts';
import type { Call } from '../../infra/local/gateway.ts';
import { startModel, type ModelRequest, type ScriptedModel } from '../model/model.ts';
import { call, fail, reply, say, stall, type Reply } from '../model/replies.ts';
import { deathsAt, tries_max, type Death } from './deaths.ts';
import { Drive } from './drive.ts';

let folder: string;
let model: ScriptedModel;
let host: Host;
let client: Anthropic;
let drive: Drive;
let death: Death | undefined;
let seen = 0;
let places: string[] = [];
/** Place of each call in the session, by its number in the function's life. */
let ordinals = new Map<number, number>();

/** The n-th boundary has been reached on this side: die there, once. */
function dies(side: Death['side'], place: number): boolean {
  if (death === undefined || death.side !== side || death.at !== place) return false;
  death = undefined;
  return true;
}

function boundary(call: Call, side: Death['side']): void {
  if (call.function_name !== 'step') return;
  if (side === 'before') {
    seen += 1;
    ordinals.set(call.n, seen);
    places.push(`${call.service}:${call.action}`);
  }
  if (dies(side, ordinals.get(call.n) ?? 0)) throw new Crash();
}

/** The model is a boundary too: the function dies when its request has arrived. */
async function modelBoundary(request: ModelRequest): Promise<void> {
  if (request.body.stream !== true) return;
  seen += 1;
  places.push('model:messages');
  if (!dies('before', seen)) return;
  await host.kill('step');
}

/** What the tools leave when each ran once; one that died before its record has left nothing. */
const contents: Readonly<Record<string, string>> = {
  'one.txt': 'one\n',
  'two.txt': 'two\n',
  'three.txt': 'three',
};

const answers: readonly ((request: ModelRequest) => Reply | Promise<Reply>)[] = [
  () =>
    reply(
      say('Working.'),
      call('bash', { command: 'echo one >> /mnt/session/outputs/one.txt' }),
      call('bash', { command: 'echo two >> /mnt/session/outputs/two.txt' }),
      call('write', { file_path: '/mnt/session/outputs/three.txt', content: 'three' }),
    ),
  // Fails until the failure stands in the log: a repeated request gets the same answer.
  async () => ((await drive.has('session.error')) ? say('Done.') : fail(529)),
  () => stall(),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reverie-crash-'));
  model = await startModel({ onRequest: modelBoundary });
  model.otherwise(async (request) => {
    const spoken = request.body.messages.filter(({ role }) => role === 'assistant').length;
    return await answers[spoken]?.(request);
  });
  host = await startHost({
    data_dir: folder,
    admin_key: 'test-key',
    model: { api_key: 'none', base_url: model.url },
    hooks: {
      before: (made) => boundary(made, 'before'),
      after: (made) => boundary(made, 'after'),
    },
  });
  // A machine that stands still for a while is not what is tested: whoever polls asks again.
  client = new Anthropic({ baseURL: host.base_url, apiKey: 'test-key', maxRetries: 5 });
  drive = await Drive.open(client, host);
});

afterAll(async () => {
  await host?.stop();
  await model?.close();
  await rm(folder, { recursive: true, force: true });
});

/** How often the session comes to rest, and so how many segments its transcript has. */
const RESTS = 3;

/** The log as a transcript has it. */
function linesOf(events: readonly unknown[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

async function run(dying: Death | undefined) {
  seen = 0;
  places = [];
  ordinals = new Map();
  death = dying;
  const events = await drive.session();
  const files = await drive.files();
  const transcript = await drive.transcript(RESTS);
  return { events, places, files, transcript, died: death === undefined };
}

/** How invocations of a function have failed, for whoever must find out why. */
async function failures(name: string): Promise<string> {
  const lines = (await readFile(join(host.logs, `${name}.log`), 'utf8')).split('\n');
  return lines.filter((line) => line.includes('platform.report')).join('\n');
}

async function runUntilDead(dying: Death): Promise<Awaited<ReturnType<typeof run>>> {
  for (let attempt = 1; ; attempt++) {
    // oxlint-disable-next-line no-await-in-loop -- one session at a time
    const ended = await run(dying);
    if (ended.died || attempt === tries_max) return ended;
  }
}

test('a session killed at every boundary ends with the same events, and no tool runs twice', async () => {
  onTestFailed(async () => console.error(await failures('api')));
  // The first is slow, and looks at its thread more often: the numbers would be those of no other.
  await run(undefined);
  const whole = await run(undefined);
  const types = whole.events.map(({ type }) => type);
  expect(types.at(-1)).toBe('session.status_idle');
  expect(whole.files).toEqual(contents);
  expect(whole.transcript).toBe(linesOf(whole.events));
  expect(whole.places.length).toBeGreaterThan(20);

  const broken: string[] = [];
  let missed = 0;
  const deaths = deathsAt(whole.places);
  for (const { at, side } of deaths) {
    const place = `${side} call ${at} (${whole.places[at - 1]})`;
    // oxlint-disable-next-line no-await-in-loop -- one death at a time, in one function
    const { events, files, transcript, died } = await runUntilDead({ at, side });
    const ids = events.map(({ id }) => id);
    const found = events.map(({ type }) => type);
    if (!died) missed += 1;
    if (JSON.stringify(found) !== JSON.stringify(types)) {
      broken.push(`${place}: ${found.join(' ')}`);
    }
    if (new Set(ids).size !== ids.length) broken.push(`${place}: an event stands twice`);
    const wrong = Object.entries(files).filter(([name, text]) => text !== contents[name]);
    if (wrong.length > 0) broken.push(`${place}: ${JSON.stringify(files)}`);
    if (transcript !== linesOf(events)) broken.push(`${place}: the transcript is not the log`);
  }
  expect(broken).toEqual([]);
  expect(missed).toBeLessThan(deaths.length / 5);
  expect(model.violations).toEqual([]);
}, 600_000);
