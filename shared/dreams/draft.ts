import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import {
  isPlaybookPath,
  parsePlaybook,
  renderPlaybook,
  slugOf,
  type PlaybookFacts,
} from '../playbooks/playbook.ts';
import { joinedCounts } from '../playbooks/join-playbooks.ts';
import { splitTrailer, withTrailer } from '../playbooks/trailer.ts';
import { believedAt, newestOf } from './believed.ts';
import type { HeldEvidence } from './candidate.ts';
import type { Lesson } from './duplicates.ts';
import type { Operation } from './operation.ts';
import type { Draft } from './prompts/consolidate.ts';
import type { SnapshotMemory } from './snapshot.ts';
import { isProse } from './prose.ts';
import { faultOfText } from './scrub.ts';

/** What a draft may speak of. */
export interface DraftFacts {
  readonly change_id: string;
  readonly lessons: readonly Lesson[];
  readonly older: readonly Lesson[];
  readonly memories: ReadonlyMap<string, SnapshotMemory>;
  /** Whether a path is free for a new memory. */
  readonly isFree: (path: string) => boolean;
}

/** @returns undefined for a draft that says too little to be an operation */
export function operationOf(draft: Draft, facts: DraftFacts): Operation | undefined {
  const evidence = newestFirst(facts.lessons.flatMap((lesson) => lesson.evidence));
  const common = {
    change_id: facts.change_id,
    reason: draft.reason,
    evidence: evidence.slice(0, limits.evidence_max),
    source: draft.op === 'merge' && evidence.length === 0 ? 'duplicates' : 'model',
  } as const;
  const path = draft.op === 'add' ? newPath(draft, facts.isFree) : (draft.path ?? undefined);
  if (path === undefined) return undefined;
  if (draft.op === 'retire') return { ...common, op: 'retire', path };
  const inputs = (draft.op === 'merge' ? (draft.paths ?? []) : [path]).flatMap(
    (each) => facts.memories.get(each) ?? [],
  );
  const whole = composed(draft, path, inputs, { ...facts, evidence: common.evidence });
  return whole === undefined
    ? undefined
    : withText(draft, { ...common, path, text: whole }, inputs);
}

type Common = Pick<Operation, 'change_id' | 'reason' | 'evidence' | 'source'>;

function withText(
  { op, paths, removed, loser }: Draft,
  common: Common & { readonly path: string; readonly text: string },
  [memory]: readonly SnapshotMemory[],
): Operation | undefined {
  switch (op) {
    case 'add':
      return { ...common, op };
    case 'revise':
      return { ...common, op, removed: removed ?? [] };
    case 'merge':
      return { ...common, op, paths: paths ?? [], removed: removed ?? [] };
    case 'supersede': {
      if (memory === undefined || !loser) return undefined;
      const lost = { text: loser, at: believedAt(memory) };
      return { ...common, op, by_path: common.path, loser: lost };
    }
    case 'retire':
      return undefined;
  }
}

function newestFirst(evidence: readonly HeldEvidence[]): HeldEvidence[] {
  return evidence.toSorted((a, b) => (a.at > b.at ? -1 : 1));
}

function newPath({ format, title }: Draft, isFree: (path: string) => boolean): string | undefined {
  if (!title) return undefined;
  // A path is words too, which every index and prompt shows: what must not be written names no place.
  const name = faultOfText(title, '') === undefined ? slugOf(title) : 'lesson';
  const start = `/${format === 'playbook' ? 'playbooks' : 'notes'}/${name}`;
  for (let n = 1; n < 100; n++) {
    const path = n === 1 ? `${start}.md` : `${start}-${n}.md`;
    if (isFree(path)) return path;
  }
  return undefined;
}

interface Sources extends DraftFacts {
  readonly evidence: readonly HeldEvidence[];
}

/** The model's words, and what code alone writes: facts of a playbook, sources, history. */
function composed(
  draft: Draft,
  path: string,
  inputs: readonly SnapshotMemory[],
  facts: Sources,
): string | undefined {
  const words = draft.text ?? '';
  if (words.trim() === '') return undefined;
  const { body } = splitTrailer(words);
  const trailer = trailerOf(draft, inputs, facts);
  if (isPlaybookPath(path)) {
    const playbook = playbookOf(draft, path, body, { inputs, facts });
    return playbook === undefined ? undefined : withTrailer(playbook, { ...trailer, sources: [] });
  }
  if (!isProse(path)) return words;
  const titled = draft.op === 'add' && !body.startsWith('#') ? `# ${draft.title}\n\n${body}` : body;
  return withTrailer(titled, trailer);
}

function trailerOf(
  { loser }: Draft,
  inputs: readonly SnapshotMemory[],
  { evidence, older }: Sources,
) {
  const before = inputs.map((memory) => splitTrailer(memory.text));
  const sources = evidence.map(
    ({ session_id, event_id, at }) => `${session_id}/${event_id} (${at})`,
  );
  const [memory] = inputs;
  const lost = memory && loser ? [`"${oneLine(loser)}" (until ${believedAt(memory)})`] : [];
  const outdated = older.map(
    ({ advice, evidence: of }) => `"${oneLine(advice)}" (seen ${newestOf(of)})`,
  );
  return {
    sources: [...before.flatMap((each) => each.sources), ...sources.toReversed()],
    history: [...before.flatMap((each) => each.history), ...lost, ...outdated],
  };
}

function oneLine(words: string): string {
  return words.replaceAll(/\s+/g, ' ').trim();
}

function playbookOf(
  draft: Draft,
  path: string,
  body: string,
  { inputs, facts }: { inputs: readonly SnapshotMemory[]; facts: Sources },
): string | undefined {
  const known = inputs.flatMap(({ text: was }) => {
    const playbook = parsePlaybook(splitTrailer(was).body);
    return 'fault' in playbook ? [] : [playbook.facts];
  });
  const [first] = known;
  // What is private to several agents cannot become one's.
  const owners = known.filter(({ scope }) => scope === 'private').map(ownerOf);
  if (new Set(owners).size > 1) return undefined;
  const [newest] = facts.lessons.toSorted((a, b) =>
    newestOf(a.evidence) > newestOf(b.evidence) ? -1 : 1,
  );
  const said = saidOf(draft, first, newest);
  if (said === undefined) return undefined;
  const evidence = [
    ...known.flatMap((each) => each.evidence),
    ...facts.evidence.map(({ session_id, event_id, quote }) => ({ session_id, event_id, quote })),
  ];
  const confirmed = [...known.map((each) => each.last_confirmed), newestOf(facts.evidence)];
  const is_shared = known.length > 0 && known.every(({ scope }) => scope === 'shared');
  const origins = new Set(known.map(({ origin }) => JSON.stringify(origin)));
  return renderPlaybook({
    facts: {
      id: first?.id ?? slugOf(path.replaceAll(/^.*\/|\.md$/g, '')),
      ...said,
      // What was shared stays so; only people share more.
      scope: is_shared ? 'shared' : 'private',
      evidence: evidence.slice(-limits.evidence_max),
      ...joinedCounts(known),
      last_confirmed: confirmed.toSorted().at(-1) ?? '',
      // What came from another store is still its own, and goes to no further one.
      ...(origins.size === 1 && first?.origin ? { origin: first.origin } : {}),
    },
    body: withoutFront(body),
  });
}

function ownerOf({ learned_from }: PlaybookFacts): string {
  return learned_from.agent_id;
}

type Said = Pick<PlaybookFacts, 'title' | 'situation' | 'learned_from'>;

/** What the model says, else what the playbook said, else the newest lesson. */
function saidOf(
  draft: Draft,
  known: PlaybookFacts | undefined,
  newest: Lesson | undefined,
): Said | undefined {
  const { title, situation } = {
    situation: newest?.situation,
    title: undefined,
    ...known,
    ...(draft.title ? { title: draft.title } : {}),
    ...(draft.situation ? { situation: draft.situation } : {}),
  };
  // It stays with the agent that it was learned from, whoever's sessions add to it.
  const is_other = known !== undefined && newest?.learned_from.agent_id !== ownerOf(known);
  const learned_from = is_other ? known.learned_from : newest?.learned_from;
  if (!title || !situation || learned_from === undefined) return undefined;
  const short = upToUnits(oneLine(situation), limits.playbook_situation_chars_max);
  return { title: oneLine(title), situation: short, learned_from };
}

/** A model that gives a playbook back with its front matter is not told off for it. */
function withoutFront(body: string): string {
  const playbook = parsePlaybook(body);
  return 'fault' in playbook ? body : playbook.body;
}
