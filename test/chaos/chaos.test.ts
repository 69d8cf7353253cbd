/**
 * Rule: whatever dies and whatever fails, a session ends in a right state, and its log proves it. Here a
 * session of each kind; `npm run chaos` plays hundreds. CHAOS_SEED repeats a run's plan of faults.
 */
import { expect, test } from 'vitest';
import { runChaos } from './run.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_128);

test(`a few sessions in the middle of chaos end as they should (seed ${SEED})`, async () => {
  const { fallen, sessions, disasters, aws_faults } = await runChaos({
    sessions: 6,
    seed: SEED,
    at_once: 6,
    brief: true,
  });
  expect(fallen).toEqual([]);
  expect(sessions).toBe(6);
  // It has met something.
  expect(Object.keys(disasters)).not.toEqual([]);
  expect(Object.keys(aws_faults).length).toBeGreaterThan(2);
}, 600_000);
