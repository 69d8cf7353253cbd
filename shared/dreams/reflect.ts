import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { askFor } from './ask.ts';
import type { Candidate, HeldEvidence } from './candidate.ts';
import { quoteStands, standsInQuotation } from './evidence.ts';
import type { Piece, SessionVerdict } from './piece.ts';
import { memorySearch } from './groups.ts';
import { ownWords } from './loss.ts';
import { eventNames, pieceText } from './pieces.ts';
import { Lessons, reflectPrompt, type Lesson } from './prompts/reflect.ts';
import type { Dropped } from './report.ts';
import { faultOfCandidate, isStrangersOrder, repeatsStranger } from './scrub.ts';
import { outcomeOf } from './session-facts.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';
import type { Reflection, ThinkPorts } from './thinking.ts';

export interface ToRead {
  readonly piece: Piece;
  readonly snapshot: Snapshot;
  /** Of who asked for the dream. @default - none */
  readonly instructions?: string | null;
}

/**
 * Find lessons in one piece. What has no evidence that stands in the piece, holds a secret or carries
 * an instruction is dropped here, before anything else sees it.
 *
 * @throws ModelError when the provider fails: the piece is then to be read again
 */
export async function reflect(
  ports: ThinkPorts,
  { piece, snapshot, instructions = null }: ToRead,
  signal: AbortSignal,
): Promise<Reflection> {
  const question = {
    system: reflectPrompt(ports.boundary, instructions),
    content: contentOf(piece, snapshot, ports.boundary),
    schema: Lessons,
  };
  const asked = await askFor(ports, question, signal);
  const { usage } = asked;
  if ('fault' in asked) {
    const skipped = { session_id: piece.session_id, piece: piece.n, reason: asked.fault };
    return { candidates: [], dropped: [], skipped, usage };
  }
  const paths = new Set(snapshot.memories.map(({ path }) => path));
  const candidates: Candidate[] = [];
  const dropped: Dropped[] = [];
  for (const [index, lesson] of asked.value.lessons.entries()) {
    const judged = judge(lesson, piece, index, paths);
    dropped.push(...judged.dropped);
    if (judged.candidate === undefined) continue;
    if (candidates.length < limits.piece_lessons_max) candidates.push(judged.candidate);
    else dropped.push(drop('too_many', lesson.situation, judged.candidate.evidence));
  }
  return { candidates, dropped, skipped: null, usage };
}

function drop(
  reason: Dropped['reason'],
  what: string,
  evidence: readonly HeldEvidence[] = [],
): Dropped {
  return { stage: 'reflect', reason, what: what.slice(0, 300), evidence };
}

function judge(
  lesson: Lesson,
  piece: Piece,
  index: number,
  paths: ReadonlySet<string>,
): { readonly candidate?: Candidate; readonly dropped: readonly Dropped[] } {
  const held = lesson.evidence.flatMap((each) => heldIn(piece, each));
  // A stranger's order is no evidence, whoever else says something: what is left must do.
  const harmless = held.filter((each) => !isStrangersOrder(each, piece));
  const evidence = harmless.length > 0 ? harmless : held;
  const candidate = candidateOf(lesson, piece, index, { evidence, paths });
  const fault = faultOfCandidate(candidate, piece);
  // A secret must not stand in the report either.
  if (fault !== undefined) {
    return { dropped: [drop(fault.reason, `${fault.text} (piece ${piece.n})`)] };
  }
  const invented = lesson.evidence.length - held.length;
  const lost = Array.from({ length: invented }, () => drop('quote_not_found', lesson.situation));
  for (let n = evidence.length; n < held.length; n++) {
    lost.push(drop('stranger_only', lesson.situation));
  }
  if (evidence.length > 0) return { candidate, dropped: lost };
  return { dropped: [...lost, drop('no_evidence', lesson.situation)] };
}

function candidateOf(
  { kind, situation, advice, why, existing_path, stance }: Lesson,
  { session_id, n, facts }: Piece,
  index: number,
  { evidence, paths }: { evidence: readonly HeldEvidence[]; paths: ReadonlySet<string> },
): Candidate {
  const is_known = existing_path !== undefined && paths.has(existing_path);
  return {
    candidate_id: `${session_id}/${n}/${index}`,
    kind,
    learned_from: {
      agent_id: facts.agent_id,
      agent_version: facts.agent_version,
      model: facts.model_id,
    },
    situation,
    advice,
    why,
    evidence: evidence.slice(0, limits.evidence_max),
    ...(is_known ? { existing_path } : {}),
    ...(is_known && stance ? { stance } : {}),
  };
}

/** What the model was shown of the event is all that it can quote. */
function heldIn(
  { lines, session_id, facts }: Piece,
  { event_id, quote }: Lesson['evidence'][number],
): HeldEvidence[] {
  const names = eventNames(lines);
  const own = lines.filter((line) => [line.event_id, names.get(line.event_id)].includes(event_id));
  const [first] = own;
  const shown = own.map(({ text }) => text).join('');
  if (first === undefined || !quoteStands(quote, shown)) return [];
  const { at } = first;
  // What is passed on of others is still others' words.
  const is_others = standsInQuotation(quote, shown) || repeatsStranger(quote, first, lines);
  const speaker = is_others ? 'tool' : first.speaker;
  const said_in = { session_id, event_id: first.event_id };
  return [{ ...said_in, quote, at, speaker, outcome: outcomeOf(facts) }];
}

function contentOf(piece: Piece, snapshot: Snapshot, boundary: string): string {
  const { verdicts, reports, errors, denials, interrupts, corrections } = piece.facts;
  const names = eventNames(piece.lines);
  const here = (ids: readonly string[]): string[] => ids.flatMap((id) => names.get(id) ?? []);
  const judged = newest([...reports, ...verdicts]);
  const facts = {
    verdicts: judged.map(({ event_id, at, result }) => ({
      event_id: names.get(event_id),
      at,
      result,
    })),
    failed_tools: here(errors),
    denied_calls: here(denials),
    interrupts: here(interrupts),
    messages_after_an_answer: here(corrections),
  };
  // A verdict that stands in this part is not said twice.
  const elsewhere = verdicts.filter(({ event_id }) => !names.has(event_id));
  return [
    `What is known of the session (ids of events in this part, verdicts of all of it):\n${JSON.stringify(facts)}`,
    `<verdicts-${boundary}>\n${reasonsOf([...reports, ...elsewhere])}\n</verdicts-${boundary}>`,
    `<memories-${boundary}>\n${memoryLines(piece, snapshot).join('\n')}\n</memories-${boundary}>`,
    pieceText(piece, boundary),
  ].join('\n\n');
}

/** Those that say how the session stands at its end, the newest last. */
function newest(verdicts: readonly SessionVerdict[]): SessionVerdict[] {
  return verdicts.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-limits.piece_verdicts_max);
}

/** Their reasons, as many as there is place for, the newest first of all. */
function reasonsOf(verdicts: readonly SessionVerdict[]): string {
  let left_chars: number = limits.piece_verdicts_chars_max;
  const told: string[] = [];
  for (const { text } of newest(verdicts).toReversed()) {
    if (left_chars <= 0) break;
    told.unshift(upToUnits(text, left_chars));
    left_chars -= text.length;
  }
  return told.join('\n');
}

/** One index for all pieces that are read with a snapshot. */
const searches = new WeakMap<Snapshot, ReturnType<typeof memorySearch<SnapshotMemory>>>();

/** The memories that what is said in the piece is about, by their beginnings: outputs of tools are about anything. */
function memoryLines({ lines }: Piece, snapshot: Snapshot): string[] {
  const search = searches.get(snapshot) ?? memorySearch(snapshot.memories);
  searches.set(snapshot, search);
  const said = lines.flatMap(({ speaker, text }) => (speaker === 'tool' ? [] : [text]));
  return search(said.join('\n'), limits.piece_memories_max).map(({ path, text }) => {
    const own = upToUnits(ownWords(text), limits.piece_memory_chars_max);
    return `${path}: ${own.replaceAll(/\s+/g, ' ').trim()}`;
  });
}
