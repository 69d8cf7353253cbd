/** What the step asks of its table: a call's answer with what it has changed, and no log that it knows. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { firstText } from '../../model/model.ts';
import { call, calls, costing, say, type Reply } from '../../model/replies.ts';
import { all, message, startRig, type Event, type Rig } from '../../rig.ts';
import { childrenOf, logOf, start, teamSession, tell } from './team-rig.ts';

let rig: Rig;
/** By transaction of the step: the first words of the keys that it writes. */
let written: string[][] = [];
/** What the step does with its table and its sandbox, as it comes: a write's keys, or what is read. */
let asked: string[] = [];
/** Whose lease the step has taken by itself, before it did anything else. */
let leases: string[] = [];
/** Of which partitions the step has asked for a range of rows. */
let ranges: string[] = [];
/** Done once, before the step first writes a file, or stores the contents of one. */
const meanwhile: { written?: () => Promise<void>; stored?: () => Promise<void> } = {};
/** The step has been told of an interrupt by its look at the thread. */
let looked: () => void = () => undefined;

async function once(name: 'written' | 'stored'): Promise<void> {
  const now = meanwhile[name];
  delete meanwhile[name];
  await now?.();
}

beforeAll(async () => {
  rig = await startRig({
    hooks: {
      before: async ({ function_name, action, body }) => {
        if (function_name !== 'step') return;
        if (action === 'Query') ranges.push(partitionOf(body));
        if (action === 'PutObject') await once('stored');
        if (action === 'Invoke') asked.push('invoke');
        // Of a thread's head nothing else is written by itself.
        if (action === 'UpdateItem') leases.push((body as { Key: { pk: { S: string } } }).Key.pk.S);
        if (action === 'BatchGetItem' && JSON.stringify(body).includes('FILES#')) {
          asked.push('files');
        }
        if (action !== 'TransactWriteItems') return;
        const names = namesOf(body);
        written.push(names);
        asked.push(names.includes('F') ? 'answer' : 'write');
        if (names.includes('F')) await once('written');
      },
      after: ({ function_name, action }, { body }) => {
        // Which look tells it is only known by what it brings: none follows that one.
        const is_look = function_name === 'step' && action === 'GetItem';
        if (is_look && body.includes('user.interrupt')) looked();
      },
    },
  });
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  await rig.close();
});
beforeEach(() => {
  written = [];
  asked = [];
  leases = [];
  ranges = [];
});

function partitionOf(body: unknown): string {
  const asked = body as { ExpressionAttributeValues: { ':pk': { S: string } } };
  return asked.ExpressionAttributeValues[':pk'].S;
}

/** `F` is a file, `E` an entry of a log, `S` a shell. */
function namesOf(body: unknown): string[] {
  const { TransactItems } = body as { TransactItems: Record<string, Written>[] };
  return TransactItems.flatMap(Object.values<Written>).map(
    ({ Key, Item }) => (Key ?? Item)?.sk.S.split('#')[0]?.slice(0, 1) ?? '',
  );
}
type Keyed = { readonly sk: { readonly S: string } };
type Written = { readonly Key?: Keyed; readonly Item?: Keyed };

const withFile = (): string[][] => written.filter((names) => names.includes('F'));

function answersIn(events: readonly Event[]): (string | undefined)[] {
  return all(events, 'agent.tool_result').map(({ content }) => {
    const [block] = content ?? [];
    return block?.type === 'text' ? block.text : undefined;
  });
}

test('what a call has written stands there with its answer, or neither does', async () => {
  rig.model.on(
    'one after the other',
    call('write', { file_path: '/workspace/a', content: 'a' }),
    calls(['bash', { command: 'cd /tmp; echo b > b' }], ['bash', { command: 'echo c > /tmp/c' }]),
    call('bash', { command: 'cat /tmp/b /tmp/c /workspace/a' }),
    call('bash', { command: 'cd /workspace' }),
    call('bash', { command: 'cat a' }),
    say('Done.'),
  );
  const id = await rig.session();
  await rig.send(id, message('one after the other'));
  const events = await rig.rested(id);
  expect(answersIn(events).slice(-3)).toEqual(['b\nc\na', expect.anything(), 'a']);
  expect(withFile()).toHaveLength(3);
  for (const names of withFile()) expect(names).toContain('E');
  // Where the shell went stands with them.
  expect(written.filter((names) => names.includes('S'))[0]).toEqual(
    expect.arrayContaining(['S', 'F', 'E']),
  );
  // And so it does where no file was changed.
  const moved = written.filter((names) => names.includes('S')).at(-1);
  expect(moved).not.toContain('F');
  expect(moved).toContain('E');
});

test('the files are read, once for each call, while the reply that asks for it is written', async () => {
  rig.model.on(
    'read ahead',
    call('write', { file_path: '/workspace/a', content: 'a' }),
    calls(
      ['write', { file_path: '/workspace/b', content: 'b' }],
      ['write', { file_path: '/workspace/c', content: 'c' }],
    ),
    say('Done.'),
  );
  const id = await rig.session();
  await rig.send(id, message('read ahead'));
  await rig.rested(id);
  const first = asked.indexOf('files');
  expect(asked.slice(first, first + 4)).toEqual(['files', 'write', 'invoke', 'answer']);
  expect(asked.slice(first + 4, first + 7)).toEqual(['files', 'files', 'write']);
  expect(asked.filter((one) => one === 'files')).toHaveLength(3);
});

test('a message that comes while a call’s answer is written moves it, and nothing is lost', async () => {
  rig.model.on(
    'and then',
    call('write', { file_path: '/workspace/a', content: 'a' }),
    call('bash', { command: 'cat /workspace/a' }),
    say('Done.'),
    say('Hurried.'),
  );
  const id = await rig.session();
  meanwhile.written = async () => void (await rig.send(id, message('hurry')));
  await rig.send(id, message('and then'));
  const events = await rig.until(id, (now) => all(now, 'agent.message').length === 2);
  expect(answersIn(events).at(-1)).toBe('a');
  // Refused for the head that has moved, and made again with the file in it.
  expect(withFile().map((names) => names.includes('E'))).toEqual([true, true]);
});

test('a file that another has made meanwhile is told, and that answer is written by itself', async () => {
  rig.model.on(
    'both of us',
    call('write', { file_path: '/workspace/a', content: 'mine' }),
    call('bash', { command: 'cat /workspace/a' }),
    say('Done.'),
  );
  const id = await rig.session();
  const { beta } = rig.client;
  const theirs = await beta.files.upload({ file: new File(['theirs'], 'a.txt') });
  const mount = { type: 'file' as const, file_id: theirs.id, mount_path: '/workspace/a' };
  meanwhile.written = async () => void (await beta.sessions.resources.add(id, mount));
  await rig.send(id, message('both of us'));
  const events = await rig.rested(id);
  expect(answersIn(events)).toEqual([
    expect.stringContaining('changed by another thread at the same time. Nothing was written.'),
    'theirs',
  ]);
  // Refused with its answer, refused by itself: then it is known who was met.
  expect(withFile().map((names) => names.includes('E'))).toEqual([true, false]);
});

/** A worker that is told a second thing: its log, and how often its lease was taken by itself. */
async function toldTwice(name: string, first: Reply) {
  rig.model.onTurns(`work of ${name}`, first, say('That is all.'));
  rig.model.otherwise(({ body }) => {
    if (!firstText(body).includes(`lead ${name}`)) return undefined;
    const spoken = body.messages.filter(({ role }) => role === 'assistant').length;
    if (spoken === 0) return start('Worker', `work of ${name}`);
    const thread_id = /sthr_\w+/.exec(JSON.stringify(body.messages))?.[0] ?? '';
    return spoken === 2 ? tell(thread_id, 'and then?') : say('I wait.');
  });
  const id = await teamSession(rig);
  await rig.send(id, message(`lead ${name}`));
  await rig.rested(id);
  const [child] = await childrenOf(rig, id);
  const log = await logOf(rig, id, child?.id ?? '');
  expect(all(log, 'agent.message')).toHaveLength(2);
  const taken = leases.filter((pk) => pk === `THREAD#${child?.id ?? ''}`);
  return { log, taken_count: taken.length };
}

test('a child that is told more takes its lease with its first entry', async () => {
  const { log, taken_count } = await toldTwice('two', say('One.'));
  expect(all(log, 'agent.thread_message_received')).toHaveLength(2);
  expect(taken_count).toBe(0);
});

test('a child that must compact its context first takes its lease before it does', async () => {
  rig.model.on(
    ({ body }) => JSON.stringify(body.messages.at(-1)).includes('Write the summary that will'),
    say('<summary>work of full: One.</summary>'),
  );
  const { log, taken_count } = await toldTwice(
    'full',
    costing({ input_tokens: 990_000 }, say('One.')),
  );
  expect(all(log, 'agent.thread_context_compacted')).toHaveLength(1);
  expect(taken_count).toBe(1);
});

test('a child reads its task by the key of its entry, and no log again for its transcript', async () => {
  rig.model.onTurns('lead', start('Worker', 'work: count'), say('I wait.'), say('All done.'));
  rig.model.onTurns('work', call('write', { file_path: '/tmp/n', content: '3' }), say('Three.'));
  const id = await teamSession(rig);
  await rig.send(id, message('lead'));
  await rig.rested(id);
  const [child] = await childrenOf(rig, id);
  expect(child?.status).toBe('idle');
  expect(ranges).not.toContain(`THREAD#${child?.id}`);
});

test('what was done before an interrupt is kept, and told as it is', async () => {
  const content = 'x'.repeat(20_000);
  rig.model.on('large', call('write', { file_path: '/tmp/large', content }), say('Never said.'));
  rig.model.on('how large', call('bash', { command: 'wc -c < /tmp/large' }), say('Done.'));
  const id = await rig.session();
  // Its watch has stopped the call, whose answer is there already.
  meanwhile.stored = async () => {
    const told = new Promise<void>((resolve) => (looked = resolve));
    await rig.send(id, { type: 'user.interrupt' });
    await told;
  };
  await rig.send(id, message('large'));
  const [told] = answersIn(await rig.rested(id));
  expect(told).toMatch(/^(?!.*interrupt).*large/);
  await rig.send(id, message('how large'));
  expect(answersIn(await rig.rested(id, 2)).at(-1)).toMatch(/20000/);
  // One transaction for both, and no second one.
  expect(withFile().map((names) => names.includes('E'))).toEqual([true]);
});

test('what has changed many rows is written before its answer', async () => {
  rig.model.on('many', call('bash', { command: 'cd /tmp; touch $(seq 40)' }), say('Done.'));
  const id = await rig.session();
  await rig.send(id, message('many'));
  await rig.rested(id);
  expect(withFile().map((names) => names.includes('E'))).toEqual([false]);
});
