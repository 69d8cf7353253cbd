/**
 * Rule: a dream whose function dies anywhere ends as it would have ended. It is killed at each
 * of its calls in turn, before one and after the next, since a dream takes seconds. Each time the same texts must stand in the copy, the input must be
 * untouched, each piece told once, and what the model was used for must be counted once.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Crash } from '../../infra/local/aws-error.ts';
import type { Call } from '../../infra/local/gateway.ts';
import { startDreamRig, type DreamRig } from '../functions/dream/rig.ts';
import { all } from '../rig.ts';

interface Death {
  readonly at: number;
  readonly side: 'before' | 'after';
}

let rig: DreamRig;
let store_id: string;
let session_id: string;
let death: Death | undefined;
let seen = 0;
let places: string[] = [];
let ordinals = new Map<number, number>();

function boundary(made: Call, side: Death['side']): void {
  if (made.function_name !== 'dream') return;
  if (side === 'before') {
    seen += 1;
    ordinals.set(made.n, seen);
    places.push(`${made.service}:${made.action}`);
  }
  if (death?.side !== side || death.at !== ordinals.get(made.n)) return;
  death = undefined;
  throw new Crash();
}

beforeAll(async () => {
  rig = await startDreamRig({
    hooks: {
      before: (made) => boundary(made, 'before'),
      after: (made) => boundary(made, 'after'),
    },
  });
  store_id = await rig.store({ '/notes/ports.md': 'ports: the staging port is 8080.\n' });
  session_id = await rig.talk('LESSON about ports: the staging port is 8443.');
});
afterAll(async () => {
  expect(rig.model.violations).toEqual([]);
  await rig.close();
});

/** What a dream came to, in words that do not hang on its ids. */
async function run(dying: Death | undefined): Promise<string> {
  const { id } = await rig.dream(store_id, [session_id]);
  seen = 0;
  places = [];
  ordinals = new Map();
  death = dying;
  const dream = await rig.settled(id);
  const texts = await rig.texts(dream.outputs[0]?.memory_store_id ?? '');
  const said = all(await rig.events(dream.session_id ?? ''), 'agent.message');
  const { usage } = dream;
  // Another request of the same beginning finds it in the provider's cache: only the sum is the same.
  const input =
    usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  return JSON.stringify({
    status: dream.status,
    error: dream.error,
    paths: Object.keys(texts),
    port: texts['/notes/ports.md']?.includes('8443'),
    said: said.length,
    output: usage.output_tokens,
    input: Math.round(input / 100),
  });
}

test('a dream killed at every boundary ends the same, and is charged once', async () => {
  const input = await rig.hash(store_id);
  await run(undefined);
  const whole = await run(undefined);
  expect(whole).toContain('"status":"completed"');
  expect(whole).toContain('"port":true');
  const all_places = places;
  const broken: string[] = [];
  let missed = 0;
  for (let at = 1; at <= all_places.length; at++) {
    const side = at % 2 === 0 ? 'before' : 'after';
    // oxlint-disable-next-line no-await-in-loop -- one death at a time, in one function
    const outcome = await run({ at, side }).catch((error: unknown) => String(error));
    if (death !== undefined) missed += 1;
    death = undefined;
    if (outcome !== whole) broken.push(`${side} call ${at} (${all_places[at - 1]}): ${outcome}`);
  }
  expect(broken).toEqual([]);
  expect(missed).toBeLessThan(all_places.length / 5);
  expect(await rig.hash(store_id)).toBe(input);
}, 900_000);
