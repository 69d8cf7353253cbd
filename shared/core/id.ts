import { randomInt } from 'node:crypto';
import { decodeTime, monotonicFactory, ulid } from 'ulid';
import { Fault } from './fault.ts';

/** Every prefix of the API's ids, by noun. */
export const prefixes = {
  agent: 'agent',
  environment: 'env',
  session: 'sesn',
  thread: 'sthr',
  event: 'sevt',
  resource: 'sesrsc',
  workspace: 'wrkspc',
  api_key: 'apikey',
  request: 'req',
  file: 'file',
  memory_store: 'memstore',
  memory: 'mem',
  memory_version: 'memver',
  outcome: 'outc',
  outcome_report: 'outrep',
  apply: 'drmapply',
  dream: 'drm',
  dream_schedule: 'dsch',
  dream_schedule_run: 'dschrun',
} as const;

export type Noun = keyof typeof prefixes;

/** Letters of ULID's alphabet; its every random letter is drawn by one call. */
const LETTERS = 32;

/**
 * Node keeps a stock of random bytes for `randomInt`. The library's own source asks the system for one
 * byte after the other, sixteen times an id: measured, 4 % of the API function's time.
 */
const random = (): number => randomInt(LETTERS) / LETTERS;

/** Monotonic, so that ids made in one process sort in the order in which they were made. */
const monotonic = monotonicFactory(random);

/** A name without a noun, for objects and versions that no client sees. */
export function newName(): string {
  return monotonic();
}

/**
 * A new id of a noun, e.g. `agent_01J…`: time-sortable, though clients must not rely on it.
 *
 * @param at_ms The moment that it sorts by, where ids are a list's order. @default - now
 */
export function newId(noun: Noun, at_ms?: number): string {
  return `${prefixes[noun]}_${at_ms === undefined ? monotonic() : ulid(at_ms, random)}`;
}

/** When an id was made; 0 for what is none of ours. */
export function madeAtMs(id: string): number {
  try {
    return decodeTime(id.slice(id.indexOf('_') + 1));
  } catch {
    return 0;
  }
}

const BODY = /^[0-9A-Za-z]{20,40}$/;

/** Whether `text` has the form of an id of `noun`. */
export function isId(noun: Noun, text: string): boolean {
  const prefix = `${prefixes[noun]}_`;
  return text.startsWith(prefix) && BODY.test(text.slice(prefix.length));
}

/**
 * The only way a string of a path or a body becomes an id.
 * @throws Fault `missing`: an id of a wrong form names nothing, exactly as an unknown one does.
 */
export function parseId(noun: Noun, text: string | undefined): string {
  if (text === undefined || !isId(noun, text)) {
    throw new Fault('missing', `${noun} '${(text ?? '').slice(0, 80)}' was not found.`);
  }
  return text;
}

/** The primary thread's id is the session's with another prefix: no look-up, no row to lose. */
export function primaryThreadId(session_id: string): string {
  return `${prefixes.thread}_${session_id.slice(prefixes.session.length + 1)}`;
}
