import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ReverieClient } from '#shared/client/reverie-client.ts';
import { renderPlaybook } from '#shared/playbooks/playbook.ts';
import { askedFor, lessonsIn } from '../functions/dream/dreamer.ts';
import { isGrader, outcome, pass, read, whole } from '../functions/step/outcome-rig.ts';
import { answer, call, fail, say, type Reply } from '../model/replies.ts';
import type { ModelRequest } from '../model/model.ts';
import { all, message, type Rig } from '../rig.ts';
import { isAbout, LESSON, otherwise, ownClient, until, type Day } from '../upgrades/day.ts';
import type { Meddler } from './meddler.ts';

const DAY_MS = 86_400_000;

/** What a day leaves out: streams, large values, losses, races, schedules by the clock, and the end of things. */
export interface Evening {
  readonly rig: Rig;
  readonly own: ReverieClient;
  readonly day: Day;
  readonly meddler: Meddler;
}

export async function liveAnEvening(rig: Rig, day: Day, meddler: Meddler): Promise<void> {
  const evening = { rig, own: ownClient(rig), day, meddler };
  await readEverything(evening);
  await sendLargeValues(evening);
  await workWithMuch(evening);
  await loseStarts(evening);
  await raceForMemories(evening);
  await dreamAgain(evening);
  await dreamByTheClock(evening);
  await deleteEverything(evening);
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

/** All that is streamed or read at length. */
async function readEverything({ rig, own, day }: Evening): Promise<void> {
  const { session_id } = day;
  const { beta } = rig.client;
  const stream = await beta.sessions.events.stream(session_id, { event_deltas: ['agent.message'] });
  await rig.send(session_id, message('And now?'));
  for await (const { type } of stream) if (type === 'session.status_idle') break;
  const { data } = await beta.files.list({ scope_id: session_id });
  await (await beta.files.download(data[0]?.id ?? '')).text();
  await own.dreams.report(day.dream_id);
  await own.sessions.trace(session_id);
  await own.sessions.fileHistory(session_id, '/mnt/session/outputs/report.md');
  const [verdict] = (await own.verdicts.ofSession(session_id)).data;
  await (await own.verdicts.transcript(session_id, verdict?.id ?? '')).text();
  await (await own.transcripts.read(session_id)).text();
  await drain(beta.memoryStores.list());
  await drain(beta.sessions.list());
  const chunks: Uint8Array[] = [];
  for await (const chunk of own.memoryStores.export(day.memory_store_id)) chunks.push(chunk);
  const file = await beta.files.upload({
    file: new File(chunks as Uint8Array<ArrayBuffer>[], 'store.tar'),
  });
  await own.memoryStores.import({ file_id: file.id });
}

const once = { headers: { 'idempotency-key': 'evening' } };

/** More than a row holds, and a secret that a row holds sealed. */
async function sendLargeValues({ rig, own, day }: Evening): Promise<void> {
  const { beta } = rig.client;
  const large = {
    name: 'Large',
    model: 'claude-sonnet-5-5',
    system: 'You are thorough. '.repeat(5_000),
  };
  const { id } = await beta.agents.create(large, once);
  await beta.agents.create(large, once);
  await beta.agents.retrieve(id);
  const bytes = new File(['a,b\n1,2\n'], 'direct.csv');
  await own.files.upload(bytes, { filename: 'direct.csv', expires_in_seconds: 3_600 });
  const url = 'https://github.com/reverie-nobody/there-is-no-such-repository-0';
  const authorization_token = 'ghp_evening';
  const session_id = await rig.session(
    {},
    {
      resources: [{ type: 'github_repository', url, authorization_token }],
    },
  );
  await rig.send(session_id, message('Go on without it.'), {
    type: 'user.message',
    content: [{ type: 'document', source: { type: 'file', file_id: day.file_id } }],
  });
  await rig.rested(session_id);
  const changes = (await own.dreams.changes(day.dream_id)).data;
  const change = changes.find((one) => !JSON.stringify(one).includes('/playbooks/'));
  await own.dreams.rollBack(day.dream_id, day.apply_id);
  const edit = { decision: 'edit', text: 'ports: 8443.\n'.repeat(7_000) } as const;
  const path = `/v1/reverie/dreams/${day.dream_id}/changes/${change?.id}`;
  for (const _ of [1, 2]) {
    // oxlint-disable-next-line no-await-in-loop -- the second one is answered as the first
    await rig.client.post(path, { body: edit, ...once });
  }
}

const long_rubric = {
  type: 'text' as const,
  content: `- The report names the total\n- The report has a source\n\n${'This is why. '.repeat(6_000)}`,
};

/** The agent does `first`, writes the report and rests; the grader reads it and is content. */
function scriptOutcome({ model }: Rig, task: string, ...first: Reply[]): void {
  const agent = (request: ModelRequest): boolean => isAbout(request, task) && !isGrader(request);
  const grader = (request: ModelRequest): boolean => isAbout(request, task) && isGrader(request);
  model.on(agent, ...first, whole, say('Done.'), say('Done.'));
  model.on(grader, read, pass, call('submit_verdict', { criteria: [] }));
}

/** So many files that they do not fit into a request to the sandbox, and a model and a rubric of length. */
async function workWithMuch({ rig, own }: Evening): Promise<void> {
  const agent = await rig.agent();
  const text = 'It is thorough in every respect that matters. '.repeat(40);
  await own.outcomeModels.put(agent, {
    success_criteria: Array.from({ length: 30 }, (_, n) => ({ id: `c${n}`, text: `${n} ${text}` })),
    failure_modes: Array.from({ length: 30 }, (_, n) => ({ id: `f${n}`, text: `${n} ${text}` })),
  });
  const { id } = await rig.client.beta.sessions.create({
    agent,
    environment_id: rig.environment_id,
  });
  const task = 'MUCH: write the report.';
  const folder = `/mnt/session/outputs${`/${'long_'.repeat(48)}`.repeat(4)}`;
  const many = `mkdir -p ${folder}; cd ${folder}; for i in $(seq 1 900); do : > $i; done`;
  scriptOutcome(rig, task, call('bash', { command: many }));
  await rig.send(id, outcome(task, { rubric: long_rubric }));
  await rig.rested(id);
  await until(rig, async () =>
    (await own.outcomeReports.list(id)).data.find(({ state }) => state !== 'pending'),
  );
  await rig.client.beta.sessions.delete(id);
}

/** Starts that fail, which reconcile makes good or, in the end, gives up. */
async function loseStarts({ rig, own, day, meddler }: Evening): Promise<void> {
  const { dreams } = rig.client.beta;
  meddler.fail('api', 'StartExecution');
  const session_id = await rig.session();
  await rig.send(session_id, message('Hello?'));
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
  await rig.rested(session_id);
  rig.model.otherwise((request) => {
    if (askedFor(request) !== 'lessons') return otherwise(request);
    const lessons = lessonsIn(request.body);
    return answer({ lessons: [...lessons, ...lessons.flatMap(atLength)] });
  });
  meddler.fail('memory', 'StartExecution');
  const { id } = await dreams.create({
    inputs: [
      { type: 'memory_store', memory_store_id: day.memory_store_id },
      { type: 'sessions', session_ids: [day.session_id] },
    ],
    model: 'claude-sonnet-5-5',
  });
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
  await until(rig, async () => (await dreams.retrieve(id)).ended_at ?? undefined);
  rig.model.otherwise(otherwise);
  meddler.fail('memory', 'Invoke');
  await own.dreamSchedules.pause(day.dream_schedule_id);
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
  await giveUp(rig, meddler);
}

async function giveUp(rig: Rig, meddler: Meddler): Promise<void> {
  const session_id = await rig.session();
  const release = [
    meddler.failAll('api', 'StartExecution'),
    meddler.failAll('reconcile', 'StartExecution'),
  ];
  await rig.send(session_id, message('Hello?'));
  for (let look = 0; look < 20; look++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    if ((await rig.events(session_id)).at(-1)?.type === 'session.status_idle') break;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await rig.host.advance(1_800_000);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await rig.host.invoke('reconcile', { min_age_seconds: 60 });
  }
  for (const each of release) each();
}

const large = (word: string): string => `${word} `.repeat(1_500);

/** Somebody else is faster: what the loser has put is taken away, and what the reader reads is gone. */
async function raceForMemories({ rig, own, meddler }: Evening): Promise<void> {
  const { memoryStores } = rig.client.beta;
  const { memories, memoryVersions } = memoryStores;
  const { id: memory_store_id } = await memoryStores.create({ name: 'Race' });
  const place = { memory_store_id };
  const { id } = await memories.create(memory_store_id, { path: '/a.md', content: large('first') });
  const write = async (word: string): Promise<void> =>
    void (await memories.update(id, { ...place, content: large(word) }));
  meddler.before('memory', 'TransactWriteItems', async () => await write('faster'));
  await write('slower');
  const redacted = async (): Promise<void> => {
    const { memory_version_id } = await memories.retrieve(id, place);
    await write('other');
    await memoryVersions.redact(memory_version_id, place);
  };
  meddler.before('memory', 'GetObject', redacted, 'memory_stores/');
  await own.memoryStores.search(memory_store_id, { query: 'other' });
  const resources = [
    { type: 'memory_store' as const, memory_store_id, access: 'read_write' as const },
  ];
  const session_id = await rig.session({}, { resources });
  rig.model.on(
    'RACE',
    call('bash', { command: 'cat /mnt/memory/race/a.md; seq 1 2000 > /mnt/memory/race/a.md' }),
    say('Written.'),
  );
  meddler.before('step', 'TransactWriteItems', async () => await write('fastest'), memory_store_id);
  await rig.send(session_id, message('RACE'));
  await rig.rested(session_id);
  const book = await memories.create(memory_store_id, {
    path: '/playbooks/a.md',
    content: playbook('Race', 'The race is on'),
  });
  meddler.before(
    'step',
    'GetObject',
    async () => {
      await memories.update(book.id, { ...place, content: playbook('Other', 'The race is on') });
      await memoryVersions.redact(book.memory_version_id, place);
    },
    'memory_stores/',
  );
  const other_id = await rig.session({}, { resources });
  await rig.send(other_id, message('The race is on.'));
  await rig.rested(other_id);
}

function playbook(title: string, situation: string): string {
  return renderPlaybook({
    facts: {
      id: title.toLowerCase(),
      title,
      situation,
      scope: 'shared',
      learned_from: {
        agent_id: 'agent_00000000000000000000000001',
        agent_version: 1,
        model: 'claude-sonnet-5-5',
      },
      evidence: [],
      helpful: 2,
      harmful: 0,
      last_confirmed: '2026-11-21T00:00:00.000Z',
    },
    body: large('Run.'),
  });
}

/** A lesson seven times more, in as many bytes as may be. */
function atLength(lesson: object): object[] {
  const text = '\u5b57'.repeat(1_900);
  return Array.from({ length: 7 }, (_, n) => ({
    ...lesson,
    situation: `ports ${n} ${text}`,
    advice: `8443 ${n} ${text}`,
  }));
}

/** A dream that writes into the store itself while somebody else does, and whose model fails once. */
async function dreamAgain({ rig, day, meddler }: Evening): Promise<void> {
  const { memoryStores, dreams } = rig.client.beta;
  const { id: memory_store_id } = await memoryStores.create({ name: 'In place' });
  const make = async (path: string, content: string): Promise<string> =>
    (await memoryStores.memories.create(memory_store_id, { path, content })).id;
  await make('/notes/ports.md', 'ports: 8080.\n');
  const index = await make('/_index.md', '# Index\n');
  // So many that the index of them is an object.
  const many = Array.from({ length: 40 }, (_, n) => `/notes/${n}_${'long_'.repeat(30)}.md`);
  await Promise.all(many.map(async (path) => await make(path, `About ${path}.\n`)));
  const overtake = async (): Promise<void> =>
    void (await memoryStores.memories.update(index, { memory_store_id, content: 'Mine.\n' }));
  meddler.before('dream', 'TransactWriteItems', overtake, '/_index.md');
  rig.model.on((request) => askedFor(request) === 'lessons', fail(529));
  // The second one copies what the first one has written over somebody's words.
  const behaviours = [
    { type: 'update_existing', memory_store_id } as const,
    { type: 'create_new' } as const,
  ];
  const read = { type: 'sessions' as const, session_ids: [day.session_id] };
  const inputs = [{ type: 'memory_store' as const, memory_store_id }, read];
  for (const output_behavior of behaviours) {
    const { id } = await dreams.create({ inputs, model: 'claude-sonnet-5-5', output_behavior });
    await until(rig, async () => (await dreams.retrieve(id)).ended_at ?? undefined);
  }
}

/** A schedule that its timer fires, that applies by itself, shares, and keeps house. */
async function dreamByTheClock({ rig, own, meddler }: Evening): Promise<void> {
  const { memoryStores } = rig.client.beta;
  rig.model.onTurns(
    (request) => askedFor(request) === 'questions',
    answer({ questions: [{ n: 0, question: 'Which port?', expected: '8443' }] }),
  );
  rig.model.onTurns(
    (request) => askedFor(request) === 'answers',
    answer({ answers: [{ n: 0, answer: '8443' }] }),
  );
  const [from, to] = [
    await memoryStores.create({ name: 'From' }),
    await memoryStores.create({ name: 'To' }),
  ];
  const book = await memoryStores.memories.create(from.id, {
    path: '/playbooks/shared.md',
    content: playbook('Shared', 'It is shared'),
  });
  await memoryStores.memories.create(from.id, {
    path: '/playbooks/raced.md',
    content: playbook('Raced', 'It is raced'),
  });
  scriptOutcome(rig, 'LONG: by a long rubric.');
  const session_id = await rig.session();
  await rig.send(
    session_id,
    message(LESSON),
    outcome('LONG: by a long rubric.', { rubric: long_rubric }),
  );
  await rig.until(
    session_id,
    (events) =>
      all(events, 'span.outcome_evaluation_end').length > 0 &&
      events.at(-1)?.type === 'session.status_idle',
  );
  const schedule = await own.dreamSchedules.create({
    name: 'by the clock',
    schedule: { type: 'cron', expression: '0 3 * * *', timezone: 'UTC' },
    memory_store_id: from.id,
    model: 'claude-sonnet-5-5',
    mode: 'review',
    processing: 'batch',
    sessions: {
      agent_id: null,
      outcome_results: ['satisfied', 'failed', 'max_iterations_reached'],
    },
    retention: { notes_days: 30, playbooks_days: 30, reviews_days: 1, copies_days: 1 },
    federation: { memory_store_ids: [to.id] },
  });
  const runs = async (count: number): Promise<void> => {
    const next = (Math.floor(rig.host.clock.now_ms() / DAY_MS) + 1) * DAY_MS;
    await rig.host.advance(next + 3 * 3_600_000 + 1_000 - rig.host.clock.now_ms());
    await until(rig, async () => {
      const { data } = await own.dreamSchedules.runs(schedule.id);
      return data.length >= count && data.every(({ ended_at }) => ended_at !== null)
        ? true
        : undefined;
    });
  };
  meddler.before(
    'fire',
    'TransactWriteItems',
    async () => {
      await memoryStores.memories.create(to.id, { path: '/playbooks/raced.md', content: 'Mine.' });
    },
    '/playbooks/raced.md',
  );
  await runs(1);
  await memoryStores.memories.delete(book.id, { memory_store_id: from.id });
  await runs(2);
  await runs(3);
  await own.dreamSchedules.archive(schedule.id);
}

/** As a request to the sandbox that is too large leaves one, and a session its contents. */
async function leavePart({ host }: Rig, session_id: string): Promise<void> {
  const s3 = new S3Client({ ...host.aws, forcePathStyle: true });
  const Bucket = String(host.outputs['BucketName']);
  for (const prefix of ['parts', 'sessions']) {
    const Key = `${prefix}/${session_id}/left`;
    // oxlint-disable-next-line no-await-in-loop -- two
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'left' }));
  }
  s3.destroy();
}

/** What is deleted goes at once; what was lost on the way is swept by reconcile. */
async function deleteEverything({ rig, own, day, meddler }: Evening): Promise<void> {
  const { beta } = rig.client;
  const key = await own.apiKeys.create({ name: 'evening' });
  await own.apiKeys.revoke(key.id);
  await own.dreamSchedules.archive(day.dream_schedule_id);
  await beta.sessions.archive(day.session_id);
  await leavePart(rig, day.session_id);
  await beta.sessions.delete(day.session_id);
  await leavePart(rig, day.team_session_id);
  const letSweep = meddler.failAll('api', 'ListObjectVersions');
  await beta.sessions.delete(day.team_session_id);
  letSweep();
  await beta.files.delete(day.file_id);
  meddler.fail('memory', 'BatchWriteItem');
  await beta.memoryStores.delete(day.memory_store_id);
  await rig.host.invoke('reconcile', { min_age_seconds: 0 });
}
