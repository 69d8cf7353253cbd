import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Result } from './result.ts';

/** `npm run demo`, as a person starts it: milliseconds to its first event and to its end. */
export async function benchDemo(): Promise<Result[]> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { ANTHROPIC_API_KEY: _, ...env } = process.env;
  const started = performance.now();
  const child = spawn('npm', ['run', '--silent', 'demo'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let first_ms = Number.NaN;
  for await (const line of createInterface(child.stdout)) {
    const isEvent = /^\s*\d+\.\d+ s\s+\S/.test(line);
    if (isEvent && Number.isNaN(first_ms)) first_ms = performance.now() - started;
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the demo ended with ${code}`);
  return [
    { name: 'demo_first_event_ms', value: first_ms, unit: 'ms', target: { at_most: 3_000 } },
    {
      name: 'demo_total_ms',
      value: performance.now() - started,
      unit: 'ms',
      target: { at_most: 30_000 },
    },
  ];
}
