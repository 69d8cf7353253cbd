/**
 * Rule: whoever runs a child thread, and how often, its work is done and reported once. Its task may be
 * repeated, two executions may meet at it, its start may be lost, and its execution may end under it.
 */
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { AwsError } from '../../infra/local/aws-error.ts';
import { childrenOf, logOf, startAll, teamSession, textOf } from '../functions/step/team-rig.ts';
import { firstText } from '../model/model.ts';
import { call, say, slowly, stall } from '../model/replies.ts';
import { all, message, startRig, type Event, type Rig } from '../rig.ts';

interface Started {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly input: string;
}

let rig: Rig;
let sfn: SFNClient;
/** What the step has started: executions of children, and of the primary thread that they wake. */
let started: Started[] = [];
let loses_starts = false;

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: (made) => {
        if (made.action !== 'StartExecution' || made.function_name !== 'step') return;
        started.push(made.body as Started);
        if (loses_starts) throw new AwsError('ServiceUnavailable', 'lost', 503);
      },
    },
  });
  sfn = new SFNClient(rig.host.aws);
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

const append = (name: string) =>
  call('bash', { command: `echo ${name} >> /mnt/session/outputs/${name}.log` });

/** A coordinator that starts two children, each of which writes a line and says that it is done. */
async function begin(name: string): Promise<string> {
  started = [];
  const work = ['a', 'b'].map((letter) => `work-${name}-${letter}`);
  rig.model.onTurns(
    `lead-${name}`,
    startAll('Worker', work),
    ...Array.from({ length: 4 }, () => say('Noted.')),
  );
  const id = await teamSession(rig);
  await rig.send(id, message(`lead-${name}`));
  return id;
}

function scripted(name: string): void {
  for (const letter of ['a', 'b']) {
    rig.model.onTurns(
      `work-${name}-${letter}`,
      append(letter),
      slowly(20, say(`all of the work of ${letter} is done`)),
    );
  }
}

/** All threads are done: each child has worked once, and its report has come once. @returns its files */
async function checkDone(id: string): Promise<string[]> {
  const events = await rig.until(id, (now) => rested(now) && reportsOf(now).length >= 2);
  expect(reportsOf(events)).toEqual([
    'all of the work of a is done',
    'all of the work of b is done',
  ]);
  const children = await childrenOf(rig, id);
  expect(children.map(({ status }) => status)).toEqual(['idle', 'idle']);
  const logs = await Promise.all(children.map(async (child) => await logOf(rig, id, child.id)));
  for (const log of logs) {
    expect(new Set(log.map((event) => event.id)).size).toBe(log.length);
    expect(all(log, 'agent.tool_result')).toHaveLength(1);
    expect(all(log, 'agent.thread_message_sent')).toHaveLength(1);
  }
  const { data: files } = await rig.client.beta.files.list({ scope_id: id });
  const texts = files.map(async ({ id: file_id }) => {
    return await (await rig.client.beta.files.download(file_id)).text();
  });
  return (await Promise.all(texts)).toSorted();
}

const once = ['a\n', 'b\n'];

function rested(events: readonly Event[]): boolean {
  return events.at(-1)?.type === 'session.status_idle';
}

function reportsOf(events: readonly Event[]): string[] {
  return all(events, 'agent.thread_message_received').map(textOf).toSorted();
}

/** The execution that the two children began in. */
async function mapOf(): Promise<Started> {
  const found = () => started.find(({ input }) => input.includes('"threads":[{'));
  await expect.poll(found, { timeout: 10_000 }).toBeDefined();
  return found() as Started;
}

test('a task of a child that is repeated while it runs, and after, changes nothing', async () => {
  scripted('repeated');
  const id = await begin('repeated');
  const { name: execution, stateMachineArn: machine, input } = await mapOf();
  const { threads } = JSON.parse(input) as { threads: { thread_id: string; run: number }[] };
  const same = { session_id: id, inbox: [], threads: [], execution, machine };
  const repeats = threads.map(
    async (thread) => await rig.host.invoke('step', { ...same, ...thread }),
  );
  await Promise.all(repeats);
  await checkDone(id);
  const [thread] = threads;
  expect(await rig.host.invoke('step', { ...same, ...thread })).toMatchObject({ next: 'done' });
  // A command that was under way when its task was repeated is answered as lost: it may have run, or not.
  const files = await checkDone(id);
  expect(once).toEqual(expect.arrayContaining(files));
});

test('two executions of the same children make each of their turns once', async () => {
  scripted('raced');
  const id = await begin('raced');
  const { name, ...same } = await mapOf();
  await sfn.send(new StartExecutionCommand({ ...same, name: `racer-${name}`.slice(0, 80) }));
  expect(await checkDone(id)).toEqual(once);
});

test('a start of children that is lost is made by reconcile, once', async () => {
  scripted('lost');
  loses_starts = true;
  const id = await begin('lost');
  await mapOf();
  loses_starts = false;
  expect((await rig.client.beta.sessions.retrieve(id)).status).toBe('running');
  await rig.host.advance(180_000);
  await Promise.all([
    rig.host.invoke('reconcile', { min_age_seconds: 0 }),
    rig.host.invoke('reconcile', { min_age_seconds: 0 }),
  ]);
  expect(await checkDone(id)).toEqual(once);
});

test('children whose execution ends under them go on in executions of their own', async () => {
  for (const letter of ['a', 'b']) {
    const done = say(`all of the work of ${letter} is done`);
    rig.model.onTurns(`work-ended-${letter}`, append(letter), [stall(), done]);
  }
  const id = await begin('ended');
  const { stateMachineArn, name } = await mapOf();
  const waits = () =>
    rig.model.requests.filter(({ body }) => {
      return firstText(body).includes('work-ended') && body.messages.length > 1;
    }).length;
  await expect.poll(waits, { timeout: 10_000 }).toBe(2);
  const machine = stateMachineArn.replace(':stateMachine:', ':execution:');
  await sfn.send(new StopExecutionCommand({ executionArn: `${machine}:${name}` }));
  await rig.host.kill('step');
  await rig.host.advance(limits.lease_ms + limits.session_restart_wait_ms);
  expect(await checkDone(id)).toEqual(once);
});
