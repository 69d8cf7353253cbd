/**
 * Rule: whatever a client sends, and whenever, what the API accepts comes to an end and the log proves it.
 * Here a few clients that do anything at any time, on a host on which nothing else fails; `npm run chaos`
 * has as many among its sessions as one likes. CHAOS_SEED repeats what they do, as far as timing allows.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../hostile/random.ts';
import { startRig, type Rig } from '../rig.ts';
import { ErraticSession } from './erratic-session.ts';
import { chaosScript } from './model.ts';
import { faultsOf } from './oracle.ts';
import { PatientClient } from './patient-client.ts';
import { recordOf } from './record.ts';
import { erraticStoryOf, setScene, type Scene } from './scene.ts';
import { SteadyStream } from './steady-stream.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_130);
const SESSIONS = 8;

let rig: Rig;
let patient: PatientClient;
beforeAll(async () => {
  rig = await startRig({}, { forget: true });
  patient = new PatientClient(() => rig.client);
  const random = new Random(SEED + 1);
  // Some answers break off, come late or not at all.
  rig.model.otherwise(
    chaosScript({ random, share: 0.05, long_stalls: false, calm: false, counts: {} }),
  );
});
afterAll(async () => {
  await rig.close();
});

async function played(scene: Scene, n: number): Promise<string[]> {
  const random = new Random(SEED + n * 7_919);
  const story = { ...erraticStoryOf(scene, n, random), is_streamed: true };
  const session = new ErraticSession(
    { patient, scene, stuck_ms: 20_000, moments: 12 },
    story,
    random,
  );
  await session.open();
  const stream = await SteadyStream.open(() => rig.client, session.id);
  try {
    await session.play();
    const record = await recordOf(patient, session, undefined);
    const ids = record.log.map(({ id }) => id);
    await stream.until(ids.at(-1), 5_000);
    const { ids: given, openings } = stream;
    return faultsOf({ ...record, streamed: { given, expected: stream.expected(ids), openings } });
  } finally {
    await stream.close();
  }
}

test(`whatever ${SESSIONS} clients send at whatever time, it comes to an end (seed ${SEED})`, async () => {
  const scene = await setScene(patient);
  let is_over = false;
  const ticking = (async () => {
    while (!is_over) {
      await sleep(100);
      await rig.host.advance(1_000);
    }
  })();
  try {
    const sessions = Array.from({ length: SESSIONS }, async (_, n) => played(scene, n));
    expect((await Promise.all(sessions)).flat()).toEqual([]);
  } finally {
    is_over = true;
    await ticking;
  }
  expect(rig.model.violations).toEqual([]);
  expect(rig.checked.violations).toEqual([]);
  // Nothing failed but models: whoever was answered with a 5xx has met a fault of ours.
  expect(patient.repeats).toEqual({});
});
