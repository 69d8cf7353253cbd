/**
 * Rule: whatever dies, wherever it dies, the session ends as it would have ended. One rich session
 * (parallel tools, a confirmation, a retryable model error, an interrupt) is driven through the
 * SDK, and the step function is killed around the calls that it makes, in turn: all of them with
 * `CRASH=all`, else a sample.
 * Each time the same events must stand in the log, once each, no tool must have run twice, and the
 * segments of the transcript must be the log.
 */
import Anthropic from '@anthropic-ai/sdk';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { startHost, type Host } from '../../infra/local/host.ts';
import { startModel, type ModelRequest, type ScriptedModel } from '../model/model.ts';
import { call, fail, reply, say, stall, type Reply } from '../model/replies.ts';
import { Boundaries, isMet, sampled, tries_max, type Death } from './boundaries.ts';
import { Drive } from './drive.ts';

let folder: string;
let model: ScriptedModel;
let host: Host;
let client: Anthropic;
let drive: Drive;
const boundaries = new Boundaries('step');

/** Deaths that a run of the suite tries. */
const DEATHS = 6;

/** The model is a boundary too: the function dies when its request has arrived. */
async function modelBoundary(request: ModelRequest): Promise<void> {
  if (request.body.stream === true && boundaries.isLastRequest('step')) await host.kill('step');
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
    hooks: boundaries.hooks,
    is_warmed: false,
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

async function run(dying?: Death<'step'>) {
  boundaries.begin(dying);
  const events = await drive.session();
  const files = await drive.files();
  const transcript = await drive.transcript(RESTS);
  return { events, files, transcript, died: boundaries.end() };
}

/** How invocations of a function have failed, for whoever must find out why. */
async function failures(name: string): Promise<string> {
  const lines = (await readFile(join(host.logs, `${name}.log`), 'utf8')).split('\n');
  return lines.filter((line) => line.includes('platform.report')).join('\n');
}

async function runUntilDead(dying: Death<'step'>): Promise<Awaited<ReturnType<typeof run>>> {
  for (let attempt = 1; ; attempt++) {
    // oxlint-disable-next-line no-await-in-loop -- one session at a time
    const ended = await run(dying);
    if (ended.died || attempt === tries_max) return ended;
  }
}

test('a session killed at every boundary ends with the same events, and no tool runs twice', async () => {
  onTestFailed(async () => console.error(await failures('api')));
  // The first is slow, and looks at its thread more often: the numbers would be those of no other.
  await run();
  const whole = await run();
  const types = whole.events.map(({ type }) => type);
  expect(types.at(-1)).toBe('session.status_idle');
  expect(whole.files).toEqual(contents);
  expect(whole.transcript).toBe(linesOf(whole.events));
  const all = boundaries.all();
  expect(all.length).toBeGreaterThan(40);

  const broken: string[] = [];
  let missed = 0;
  const deaths = sampled(all, DEATHS);
  for (const dying of deaths) {
    const place = `${dying.side} call ${dying.at} (${dying.place})`;
    // oxlint-disable-next-line no-await-in-loop -- one death at a time, in one function
    const { events, files, transcript, died } = await runUntilDead(dying);
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
  expect(isMet(missed, deaths)).toBe(true);
  expect(model.violations).toEqual([]);
}, 1_800_000);
