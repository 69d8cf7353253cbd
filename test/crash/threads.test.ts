/**
 * Rule: a team that dies anywhere ends as it would have ended. A coordinator starts five children, of
 * which one fails for good and one waits for a confirmation; the step function, in which all of them
 * run, is killed at its calls in turn. Each time every log must have the same events, once each, every
 * report must be there once, and no command must have run twice.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  childrenOf,
  logOf,
  startAll,
  teamSession,
  textOf,
  type TeamParams,
} from '../functions/step/team-rig.ts';
import { call, fail, say } from '../model/replies.ts';
import { all, message, only, startRig, typesOf, type Event, type Rig } from '../rig.ts';
import { Boundaries, isMet, sampled, tries_max, type Death } from './boundaries.ts';

/** Deaths that a run of the suite tries; a team has some 300. */
const DEATHS = 4;

let rig: Rig;
const boundaries = new Boundaries('step');

beforeAll(async () => {
  rig = await startRig({ hooks: boundaries.hooks });
  rig.model.onTurns(
    'lead',
    startAll('Worker', ['work-one', 'work-two', 'work-six', 'work-bad', 'work-ask']),
  );
  // Whatever comes and in which order: the coordinator only takes note.
  rig.model.on(({ body }) => JSON.stringify(body.messages[0]).includes('lead'), ...notes());
  for (const name of ['one', 'two', 'six']) {
    rig.model.onTurns(
      `work-${name}`,
      call('write', { file_path: `/mnt/session/outputs/${name}.txt`, content: name }),
      say(`done-${name}`),
    );
  }
  rig.model.onTurns('work-bad', fail(400, 'not like this'));
  rig.model.onTurns('work-ask', call('bash', { command: 'echo asked' }), say('done-ask'));
});
afterAll(async () => await rig.close());

function notes() {
  return Array.from({ length: 5_000 }, () => say('Noted.'));
}

const worker: NonNullable<TeamParams['worker']> = {
  tools: [
    {
      type: 'agent_toolset_20260401',
      configs: [{ name: 'bash', permission_policy: { type: 'always_ask' } }],
    },
  ],
};

function isOnce(log: readonly Event[]): boolean {
  return new Set(log.map(({ id }) => id)).size === log.length;
}

/** What a command has answered stands; one that is answered as lost may have left its file or not. */
function isKept(log: readonly Event[], files: readonly string[]): boolean {
  const [use] = all(log, 'agent.tool_use');
  const [result] = all(log, 'agent.tool_result');
  if (use?.name !== 'write' || result?.is_error === true) return true;
  return files.includes(String(use.input['file_path']).slice('/mnt/session/outputs/'.length));
}

async function run(dying?: Death<'step'>) {
  boundaries.begin(dying);
  const id = await teamSession(rig, { worker });
  await rig.send(id, message('lead'));
  const asked = await rig.rested(id);
  const use = only(asked, 'agent.tool_use');
  await rig.send(id, { type: 'user.tool_confirmation', tool_use_id: use.id, result: 'allow' });
  const events = await rig.rested(id, 2);
  const died = boundaries.end();
  const children = await childrenOf(rig, id);
  const logs = await Promise.all(
    children.map(async (child) => ({ child, log: await logOf(rig, id, child.id) })),
  );
  const files: string[] = [];
  for await (const { filename } of rig.client.beta.files.list({ scope_id: id }))
    files.push(filename);
  const end = {
    reports: all(events, 'agent.thread_message_received').map(textOf).toSorted(),
    created: all(events, 'session.thread_created').length,
    // A call that waits for its client stands on two logs under one id.
    is_once: [events, ...logs.map(({ log }) => log)].every(isOnce),
    stops: all(events, 'session.status_idle').map(({ stop_reason }) => stop_reason.type),
    children: logs.map(({ child, log }) => `${child.status}: ${typesOf(log).join(' ')}`).toSorted(),
    is_kept: logs.every(({ log }) => isKept(log, files)),
  };
  return { end, died };
}

async function runUntilDead(dying: Death<'step'>): ReturnType<typeof run> {
  for (let attempt = 1; ; attempt++) {
    // oxlint-disable-next-line no-await-in-loop -- one session at a time
    const ended = await run(dying);
    if (ended.died || attempt === tries_max) return ended;
  }
}

test('a team killed at every boundary reports once, and ends the same', async () => {
  await run();
  const whole = await run();
  expect(whole.end).toMatchObject({
    created: 5,
    is_once: true,
    is_kept: true,
  });
  expect(whole.end.reports.slice(1)).toEqual(['done-ask', 'done-one', 'done-six', 'done-two']);
  expect(whole.end.stops).toEqual(['requires_action', 'end_turn']);
  const deaths = sampled(boundaries.all(), DEATHS);
  expect(deaths.length).toBeGreaterThanOrEqual(DEATHS);
  const broken: unknown[] = [];
  let missed = 0;
  for (const { place, ...dying } of deaths) {
    // oxlint-disable-next-line no-await-in-loop -- one death at a time
    const { end, died } = await runUntilDead(dying).catch((error: unknown) => ({
      end: String(error),
      died: true,
    }));
    if (!died) missed += 1;
    if (JSON.stringify(end) !== JSON.stringify(whole.end)) {
      broken.push({ ...dying, place, end });
    }
  }
  expect(broken).toEqual([]);
  expect(isMet(missed, deaths)).toBe(true);
}, 7_200_000);
