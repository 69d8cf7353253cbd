import { createHash } from 'node:crypto';
import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { parseFrontMatter, renderFrontMatter } from './front-matter.ts';

const line = (chars_max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(chars_max)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line.');

export const PlaybookEvidence = z.strictObject({
  session_id: line(80),
  event_id: line(80),
  quote: z.string().max(limits.quote_chars_max),
});

/** What a program reads of a playbook: everything above its steps. */
export const PlaybookFacts = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'must be lower-case letters, digits and hyphens.'),
  title: line(limits.playbook_title_chars_max),
  situation: line(limits.playbook_situation_chars_max),
  /** `shared` playbooks may be given to other agents' stores. */
  scope: z.enum(['private', 'shared']),
  /** Of the newest session that it was learned from: another version or model calls for a new look. */
  learned_from: z.strictObject({
    agent_id: line(80),
    agent_version: z.int().nonnegative(),
    model: line(256),
  }),
  evidence: z.array(PlaybookEvidence).max(limits.evidence_max),
  /** Sessions that used it and succeeded; likewise, that failed. */
  helpful: z.int().nonnegative(),
  harmful: z.int().nonnegative(),
  last_confirmed: z.iso.datetime(),
  /** Of a copy that was given to another store: where it is from. @default - learned here */
  origin: z.strictObject({ memory_store_id: line(80), playbook_id: line(80) }).optional(),
});
export type PlaybookFacts = z.infer<typeof PlaybookFacts>;

/** A memory under `/playbooks/`. */
export interface Playbook {
  readonly facts: PlaybookFacts;
  /** The steps, as Markdown. */
  readonly body: string;
}

/** The front matter's shape, for whoever writes playbooks by hand or by program. */
export const playbook_schema: Readonly<Record<string, unknown>> = {
  $id: 'reverie:playbook:1',
  title: 'Front matter of a playbook',
  ...z.toJSONSchema(PlaybookFacts, { io: 'input' }),
};

const PLACE = /^\/playbooks\/[^/]+\.md$/;

export function isPlaybookPath(path: string): boolean {
  return PLACE.test(path);
}

/** @returns what is wrong with it, as a sentence, where the text is no playbook */
export function parsePlaybook(text: string): Playbook | { readonly fault: string } {
  const parsed = parseFrontMatter(text);
  if ('fault' in parsed) return parsed;
  const facts = PlaybookFacts.safeParse(parsed.fields);
  if (facts.success) return { facts: facts.data, body: parsed.body };
  const [issue] = facts.error.issues;
  return { fault: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}` };
}

/** Always parses back to the same playbook. */
export function renderPlaybook({ facts, body }: Playbook): string {
  const { id, title, situation, scope, learned_from, evidence, ...counts } = facts;
  const { helpful, harmful, last_confirmed, origin } = counts;
  const fields = { id, title, situation, scope, learned_from, evidence };
  const from = origin === undefined ? {} : { origin };
  return renderFrontMatter({ ...fields, helpful, harmful, last_confirmed, ...from }, body);
}

/** A path and an id for a new playbook or note: readable, and the same for the same words. */
export function slugOf(title: string): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '');
  if (words.length >= 3) return words;
  return `lesson-${createHash('sha256').update(title).digest('hex').slice(0, 8)}`;
}
