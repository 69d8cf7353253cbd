import type { Random } from '../hostile/random.ts';
import type { ChaosHost } from './chaos-host.ts';

/** What befalls a host, and when: it follows from the seed alone. */
export interface Disaster {
  /** After the one before it, of the machine's own time. */
  readonly after_ms: number;
  readonly what: 'function' | 'engine' | 'host' | 'jump' | 'outage';
  /** The function or service that is meant. */
  readonly name: string;
  /** How far the clock jumps, or how long the service is away. */
  readonly ms: number;
}

/** Those that work for sessions die more often than those that look after them. */
const functions = [
  ...'step step step step steplarge steplarge api api sandbox sandbox grade grade'.split(' '),
  ...'stream memory dream dream reconcile fire'.split(' '),
];

const weights: readonly (readonly [what: Disaster['what'], weight: number])[] = [
  ['function', 8],
  ['engine', 2],
  ['host', 1],
  ['jump', 3],
  ['outage', 2],
];
const kinds = weights.flatMap(([what, weight]) => Array.from({ length: weight }, () => what));

/** A disaster; so many as a run lasts. */
export function nextDisaster(random: Random): Disaster {
  const what = random.of(kinds);
  const after_ms = 200 + random.int(2_300);
  if (what === 'jump') return { after_ms, what, name: '', ms: 10_000 * 3 ** random.int(5) };
  if (what === 'outage')
    return { after_ms, what, name: random.of(['dynamodb', 's3']), ms: 200 + random.int(1_500) };
  return { after_ms, what, name: what === 'function' ? random.of(functions) : '', ms: 0 };
}

export async function strike(host: ChaosHost, { what, name, ms }: Disaster): Promise<void> {
  switch (what) {
    case 'function':
      return void (await host.order({ type: 'kill', name }));
    case 'engine':
      return await host.killEngine();
    case 'host':
      return await host.crash();
    case 'jump':
      return void (await host.order({ type: 'advance', ms }));
    case 'outage':
      return void (await host.order({ type: 'outage', service: name, ms }));
  }
}

export function wordsOf({ what, name, ms }: Disaster): string {
  switch (what) {
    case 'function':
      return `function ${name} killed`;
    case 'engine':
      return 'engine killed';
    case 'host':
      return 'host killed and started again';
    case 'jump':
      return `clock jumps ${ms / 1_000} s`;
    case 'outage':
      return `${name} away for ${ms} ms`;
  }
}
