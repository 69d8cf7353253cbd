/**
 * Rule: a crowd of sessions loses nothing, and what is stored slows nothing down. Here a few sessions and
 * streams show that the measuring works and finds no fault; `npm run load` is the crowd.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { load } from './run.ts';

test('a small crowd loses nothing on its streams, and every figure is there', async () => {
  const data_dir = await mkdtemp(join(tmpdir(), 'reverie-load-'));
  try {
    const results = await load(data_dir, {
      sessions: 4,
      turns: 2,
      tools: 3,
      streams: 2,
      minutes: 0,
      stored_sessions: [20],
      stored_events: [100],
      progress: () => undefined,
    });
    const value = (name: string): number | undefined =>
      results.find((result) => result.name === name)?.value;
    expect(value('load_faults')).toBe(0);
    // A turn: message, two statuses to begin it, two spans, three calls and results, words, and its end.
    expect(value('load_events')).toBe(4 * 2 * 17);
    for (const name of ['sessions_20_list_p95_ms', 'events_100_turn_p95_ms', 'load_turn_p95_ms']) {
      expect(value(name)).toBeGreaterThan(0);
    }
  } finally {
    await rm(data_dir, { recursive: true, force: true });
  }
}, 120_000);
