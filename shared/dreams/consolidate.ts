import pLimit from 'p-limit';
import { limits } from '../core/limits.ts';
import { applyOperations } from './apply-operations.ts';
import { addThinking, askFor, noThinking } from './ask.ts';
import { inTurn, together } from './awaited.ts';
import { believedAt, newestOf } from './believed.ts';
import { boundFaults } from './bounds.ts';
import type { Candidate } from './candidate.ts';
import { Counts } from './counts.ts';
import { operationOf } from './draft.ts';
import { distinctLessons, sameMemories, withoutKnown, type Lesson } from './duplicates.ts';
import { groupsOf, packsOf, type Group } from './groups.ts';
import { joinAdditions } from './join-additions.ts';
import { changeId, inputPaths, outputPath, type Operation } from './operation.ts';
import { consolidatePrompt, Drafts, type Draft } from './prompts/consolidate.ts';
import type { Dropped, DropReason } from './report.ts';
import { currentLessons, settled, type Current } from './recency.ts';
import type { Snapshot } from './snapshot.ts';
import type { OperationFault } from './structure.ts';
import type { Consolidation, ThinkPorts, ThinkUsage } from './thinking.ts';

export interface Found {
  readonly snapshot: Snapshot;
  readonly candidates: readonly Candidate[];
  /** What code has decided already, by counts. */
  readonly decided: readonly Operation[];
  readonly instructions: string | null;
}

/**
 * Make operations of lessons: duplicates by hash and by words without the model, what is left in
 * groups of what is about the same thing. The same groups for the same input; what is proposed and
 * breaks a rule is dropped with its reason, and every lesson that leads to nothing is named.
 *
 * @throws ModelError when the provider fails
 */
export async function consolidate(
  ports: ThinkPorts,
  found: Found,
  signal: AbortSignal,
): Promise<Consolidation> {
  const { snapshot, decided } = found;
  const book = new OperationBook(snapshot);
  for (const operation of decided) if (operation.op === 'retire') book.take(operation);
  const counts = new Counts(snapshot, decided);
  const same = sameMemories(snapshot, () => book.nextId());
  for (const operation of same.operations) book.take(operation);
  book.dropped.push(...same.dropped);
  const known = withoutKnown(distinctLessons(found.candidates), snapshot);
  book.dropped.push(...known.dropped);
  const current = currentLessons(known.fresh, snapshot);
  book.dropped.push(...current.dropped);
  const groups = groupsOf(current.lessons, counts.snapshot, book.paths);
  const limit = pLimit(limits.dream_parallel_max);
  const answers = await together(
    packsOf(groups).map(async (pack) => await limit(askPack, ports, pack, { found, signal })),
  );
  const usage = answers.reduce((sum, each) => addThinking(sum, each.usage), noThinking);
  for (const { group, proposals } of answers.flatMap((each) => each.answered)) {
    readAnswer(book, group, proposals, { counts, refuted: current.refuted });
  }
  const alone = counts.besides(book.paths);
  for (const operation of alone) book.take(operation);
  const operations = book.sound();
  const { ledger } = applyOperations(snapshot, operations);
  const within = decided.filter((operation) => !alone.includes(operation));
  return { operations, counts: within, ledger, dropped: book.dropped, usage };
}

/** What the model proposes for a group: undefined when its answer cannot be used. */
interface Answered {
  readonly group: Group;
  readonly proposals: readonly Proposal[] | undefined;
}

interface Proposal {
  readonly draft: Draft;
  readonly lessons: readonly Lesson[];
  /** That the draft says have lost. */
  readonly older: readonly Lesson[];
}

/** A pack whose answer cannot be used is asked about group by group. */
async function askPack(
  ports: ThinkPorts,
  pack: readonly Group[],
  about: { readonly found: Found; readonly signal: AbortSignal },
): Promise<{ readonly usage: ThinkUsage; readonly answered: readonly Answered[] }> {
  const asked = await askFor(
    ports,
    {
      system: consolidatePrompt(ports.boundary, about.found.instructions),
      content: contentOf(pack, ports.boundary),
      schema: Drafts,
    },
    about.signal,
  );
  if ('value' in asked) {
    return { usage: asked.usage, answered: proposalsOf(pack, asked.value.operations) };
  }
  const [group, ...others] = pack;
  if (group === undefined || others.length === 0) {
    const answered = group === undefined ? [] : [{ group, proposals: undefined }];
    return { usage: asked.usage, answered };
  }
  const alone = await inTurn(pack, async (one) => await askPack(ports, [one], about));
  return {
    usage: alone.reduce((sum, each) => addThinking(sum, each.usage), asked.usage),
    answered: alone.flatMap((each) => each.answered),
  };
}

/** Each draft belongs to the group of its first lesson, else of its memory; it reaches no other. */
function proposalsOf(pack: readonly Group[], drafts: readonly Draft[]): Answered[] {
  const numbered = pack.flatMap((group) => group.lessons.map((lesson) => ({ group, lesson })));
  const named = (ids: readonly string[] = []) => numbered.filter((_, n) => ids.includes(idOf(n)));
  const placed = drafts.map((draft) => {
    const path = draft.path ?? draft.paths?.[0];
    const holding = pack.find(({ memories }) => memories.some((memory) => memory.path === path));
    const group = named(draft.lessons)[0]?.group ?? holding ?? pack[0];
    const within = (ids: readonly string[] | undefined): Lesson[] =>
      named(ids).flatMap((each) => (each.group === group ? [each.lesson] : []));
    const [lessons, older] = [within(draft.lessons), within(draft.older_lessons)];
    return { group, proposal: { draft, lessons, older } };
  });
  return pack.map((group) => ({
    group,
    proposals: placed.flatMap((each) => (each.group === group ? [each.proposal] : [])),
  }));
}

function contentOf(pack: readonly Group[], boundary: string): string {
  const lessons = pack.flatMap((group, n) => group.lessons.map((lesson) => ({ lesson, n })));
  const shown = lessons.map(({ lesson, n: topic }, n) => ({
    id: idOf(n),
    topic,
    kind: lesson.kind,
    situation: lesson.situation,
    advice: lesson.advice,
    why: lesson.why,
    newest_evidence: newestOf(lesson.evidence),
    sessions: countsOf(lesson),
    about: lesson.existing_path,
    stance: lesson.stance,
    quotes: lesson.evidence.slice(-3).map(({ quote, at }) => ({ at, quote })),
  }));
  const held = pack.flatMap(({ memories }, topic) =>
    memories.map((memory) => ({
      topic,
      path: memory.path,
      believed_since: believedAt(memory),
      written_by_hand: memory.by_hand,
      text: memory.text,
    })),
  );
  return [
    `<memories-${boundary}>\n${JSON.stringify(held, null, 1)}\n</memories-${boundary}>`,
    `<lessons-${boundary}>\n${JSON.stringify(shown, null, 1)}\n</lessons-${boundary}>`,
  ].join('\n\n');
}

const idOf = (n: number): string => `L${n + 1}`;

/** How many sessions say so, by what became of them. */
function countsOf({ evidence }: Lesson): Record<string, number> {
  const sessions = new Map(evidence.map(({ session_id, outcome }) => [session_id, outcome]));
  const counts = { success: 0, failure: 0, unknown: 0 };
  for (const outcome of sessions.values()) counts[outcome] += 1;
  return counts;
}

interface Decided {
  readonly counts: Counts;
  /** Older lessons that lessons have refuted, which their operations keep as history. */
  readonly refuted: Current['refuted'];
}

function readAnswer(
  book: OperationBook,
  group: Group,
  proposals: Answered['proposals'],
  { counts, refuted }: Decided,
): void {
  if (proposals === undefined) {
    for (const lesson of group.lessons) book.drop('bad_answer', lesson.advice, lesson.evidence);
    return;
  }
  const memories = new Map(group.memories.map((memory) => [memory.path, memory]));
  const taken = new Set<Lesson>();
  const drafts = proposals.map(({ draft, lessons, older }) => ({
    draft: settled(draft, lessons, group.memories),
    lessons,
    named: olderOf(older, lessons),
  }));
  // Of two that want the same memory the first has it: what no longer holds goes before what is new.
  const ordered = drafts.toSorted((a, b) => rankOf(a.draft) - rankOf(b.draft));
  for (const { draft, lessons, named } of ordered) {
    for (const lesson of [...lessons, ...named]) taken.add(lesson);
    const older = [
      ...named,
      ...lessons.flatMap(({ candidate_id }) => refuted.get(candidate_id) ?? []),
    ];
    const change_id = book.nextId();
    const operation = operationOf(draft, {
      change_id,
      lessons,
      older,
      memories,
      isFree: (path) => book.isFree(path),
    });
    if (operation === undefined) book.drop('bad_answer', `${draft.op}: ${draft.reason}`);
    else if (inputPaths(operation).some((path) => !memories.has(path))) {
      book.drop('unknown_path', `${draft.op}: ${inputPaths(operation).join(', ')}`);
    } else book.take(counts.within(operation));
  }
  for (const lesson of group.lessons) {
    if (!taken.has(lesson)) book.drop('not_taken', lesson.advice, lesson.evidence);
  }
}

function rankOf({ op }: Draft): number {
  return op === 'supersede' ? 0 : 1;
}

/** Only what is older than the newest of the lessons that are followed has lost to them. */
function olderOf(named: readonly Lesson[], followed: readonly Lesson[]): Lesson[] {
  const newest = newestOf(followed.flatMap(({ evidence }) => evidence));
  return named.filter((lesson) => !followed.includes(lesson) && newestOf(lesson.evidence) < newest);
}

/** The operations of a dream as they come, and what has fallen. */
class OperationBook {
  readonly dropped: Dropped[] = [];
  /** Paths that operations have. */
  readonly paths = new Set<string>();
  readonly #snapshot: Snapshot;
  readonly #operations: Operation[] = [];
  readonly #texts: ReadonlyMap<string, string>;
  #ids = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#texts = new Map(snapshot.memories.map(({ path, text }) => [path, text]));
  }

  nextId(): string {
    this.#ids += 1;
    return changeId(this.#ids);
  }

  isFree(path: string): boolean {
    return !this.#texts.has(path) && !this.paths.has(path);
  }

  /** @param operation One without an id gets the next. */
  take(operation: Operation): void {
    if (this.#joins(operation)) return;
    const change_id = operation.change_id === '' ? this.nextId() : operation.change_id;
    this.#operations.push({ ...operation, change_id });
    const path = outputPath(operation);
    for (const each of inputPaths(operation)) this.paths.add(each);
    if (path !== undefined) this.paths.add(path);
  }

  /** Whether it went into one that adds to the same memory. */
  #joins(operation: Operation): boolean {
    const [path = ''] = inputPaths(operation);
    const was = this.#texts.get(path);
    const at = this.#operations.findIndex((each) => inputPaths(each).includes(path));
    const first = this.#operations[at];
    if (was === undefined || first === undefined) return false;
    const joined = joinAdditions(was, first, operation);
    if (joined !== undefined) this.#operations[at] = joined;
    return joined !== undefined;
  }

  drop(reason: DropReason, what: string, evidence: Dropped['evidence'] = []): void {
    this.dropped.push({ stage: 'consolidate', reason, what: what.slice(0, 300), evidence });
  }

  /** What breaks no rule; the rest is dropped. */
  sound(): Operation[] {
    const faults = boundFaults(this.#snapshot, this.#operations);
    for (const fault of faults) this.#dropFault(fault);
    const bad = new Set(faults.map(({ change_id }) => change_id));
    return this.#operations.filter(({ change_id }) => !bad.has(change_id));
  }

  #dropFault({ change_id, reason, text }: OperationFault): void {
    const operation = this.#operations.find((each) => each.change_id === change_id);
    const places = operation === undefined ? [] : [...inputPaths(operation), outputPath(operation)];
    const about = [...new Set(places)].filter((path) => path !== undefined).join(', ');
    const is_secret = reason === 'secret' || reason === 'instruction';
    const evidence = is_secret ? [] : operation?.evidence;
    this.drop(reason, `${operation?.op ?? ''} ${about}: ${text}`, evidence);
  }
}
