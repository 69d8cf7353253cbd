import { limits } from '../core/limits.ts';
import { splitTrailer } from '../playbooks/trailer.ts';
import { folded } from '../tools/convert.ts';
import { believedAt, newestOf } from './believed.ts';
import { statementsOf } from './contradiction.ts';
import { containedPercent, likenessOf, tellApart } from './likeness.ts';
import { lossOf, ownWords } from './loss.ts';
import { inputPaths, outputPath, type Operation } from './operation.ts';
import { isProse } from './prose.ts';
import { Rivals } from './recency.ts';
import { faultOfAddresses, faultOfText } from './scrub.ts';
import type { Snapshot, SnapshotMemory } from './snapshot.ts';
import { structureFaults, type OperationFault } from './structure.ts';

type Refusal = Omit<OperationFault, 'change_id'> | undefined;

/**
 * What speaks against operations that a model has proposed, beyond whether they can be applied:
 * evidence that is too old, text that is lost and not named, secrets, orders.
 */
export function boundFaults(
  snapshot: Snapshot,
  operations: readonly Operation[],
): OperationFault[] {
  const memories = new Map(snapshot.memories.map((memory) => [memory.path, memory]));
  const rivals = new Rivals(snapshot);
  const faults = structureFaults(snapshot, operations);
  const broken = new Set(faults.map(({ change_id }) => change_id));
  for (const operation of operations) {
    if (broken.has(operation.change_id)) continue;
    const inputs = inputsOf(operation, memories);
    const fault =
      evidenceFault(operation) ??
      recencyFault(operation, inputs) ??
      removalFault(operation, inputs) ??
      contradictionFault(operation, inputs, rivals) ??
      samenessFault(operation, inputs) ??
      lossFault(operation, inputs) ??
      wordsFault(operation, inputs) ??
      addressFault(operation, inputs);
    if (fault !== undefined) faults.push({ change_id: operation.change_id, ...fault });
  }
  const bad = new Set(faults.map(({ change_id }) => change_id));
  const rest = operations.filter(({ change_id }) => !bad.has(change_id));
  return [...faults, ...retireFaults(snapshot, rest), ...shrinkFaults(snapshot, rest)];
}

/** The memories that an operation takes in or writes to. */
function inputsOf(
  operation: Operation,
  memories: ReadonlyMap<string, SnapshotMemory>,
): SnapshotMemory[] {
  const paths = new Set(inputPaths(operation));
  if (operation.op === 'supersede') paths.add(operation.by_path);
  return [...paths].flatMap((path) => memories.get(path) ?? []);
}

function evidenceFault({ evidence, source }: Operation): Refusal {
  if (source === 'duplicates' || evidence.length > 0) return undefined;
  return { reason: 'no_evidence', text: 'it rests on nothing' };
}

function recencyFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  const newest = newestOf(operation.evidence);
  const by_hand = inputs.find((memory) => memory.by_hand && newest <= memory.updated_at);
  // One that stays as it is, while its copy goes, is not changed.
  const keeps = operation.op === 'merge' && by_hand?.path === operation.path;
  if (by_hand !== undefined && !(keeps && by_hand.text === operation.text)) {
    const text = `${by_hand.path} was written by hand after the newest evidence`;
    return { reason: 'hand_edited', text };
  }
  if (operation.op !== 'supersede' && operation.op !== 'retire') return undefined;
  const newer = inputs.find((memory) => newest <= believedAt(memory));
  if (newer === undefined) return undefined;
  return { reason: 'older_evidence', text: `${newer.path} is newer than the evidence` };
}

/** What is named as left out is gone for good: only newer evidence takes it away. */
function removalFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  if (operation.op !== 'revise' && operation.op !== 'merge') return undefined;
  const newest = newestOf(operation.evidence);
  const gone = operation.removed.filter(({ what }) => isGone(what, operation.text));
  const newer = inputs.find(
    (memory) =>
      newest <= believedAt(memory) &&
      gone.some(({ what }) => folded(ownWords(memory.text)).includes(folded(what))),
  );
  if (newer === undefined) return undefined;
  const text = `it leaves out what ${newer.path} says, which is newer than the evidence`;
  return { reason: 'older_evidence', text };
}

/** Said in fewer or other words, a passage is still there; without its numbers and names it is not. */
function isGone(passage: string, text: string): boolean {
  const { percent, facts } = lossOf([passage], text);
  return facts.length > 0 || percent > limits.merge_loss_percent;
}

/** What an operation says anew may not contradict, by its words, a memory that is newer than it. */
function contradictionFault(
  operation: Operation,
  inputs: readonly SnapshotMemory[],
  rivals: Rivals,
): Refusal {
  if (operation.op === 'retire' || operation.evidence.length === 0) return undefined;
  const known = inputs.map(({ text }) => text).join('\n');
  const said = statementsOf(ownWords(operation.text)).filter(
    ({ sentence }) => !known.includes(sentence),
  );
  const newest = newestOf(operation.evidence);
  const newer = rivals.of(said, newest).find(({ memory }) => newest <= believedAt(memory));
  if (newer === undefined) return undefined;
  const text = `${newer.memory.path} says otherwise since ${believedAt(newer.memory)}`;
  return { reason: 'older_evidence', text };
}

/** What rests on no lesson may only put together what says the same. */
function samenessFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  if (operation.op !== 'merge' || operation.evidence.length > 0) return undefined;
  const all = inputs.map(({ text }) => likenessOf(ownWords(text)));
  const differ = all.some((one, n) => all.slice(n + 1).some((other) => tellApart(one, other)));
  return differ
    ? { reason: 'no_evidence', text: 'they do not say the same: numbers or names differ' }
    : undefined;
}

function lossFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  if (operation.op === 'add' || operation.op === 'retire') return undefined;
  const befores = inputs.map(({ text }) => text);
  const named =
    operation.op === 'supersede'
      ? [operation.loser.text]
      : operation.removed.map(({ what }) => what);
  const known = folded(befores.map(ownWords).join('\n'));
  const invented = named.find((passage) => !known.includes(folded(passage)));
  if (invented !== undefined) {
    return { reason: 'collapse', text: 'it names a loss that never stood there' };
  }
  const whole = operation.op === 'supersede' ? undefined : wholeLossFault(operation, inputs, named);
  if (whole !== undefined) return whole;
  const { percent, facts } = lossOf(befores, operation.text, named);
  const percent_max =
    operation.op === 'merge' ? limits.merge_loss_percent : limits.revise_loss_percent;
  if (percent > percent_max) {
    return { reason: 'collapse', text: `it loses ${Math.round(percent)} % of the words unnamed` };
  }
  if (facts.length > 0) {
    return { reason: 'collapse', text: `it loses ${facts.slice(0, 3).join(', ')} unnamed` };
  }
  return undefined;
}

/** To name a loss is no leave to lose everything: what ends is retired, which is counted. */
function wholeLossFault(
  { op, text }: Extract<Operation, { readonly op: 'revise' | 'merge' }>,
  inputs: readonly SnapshotMemory[],
  named: readonly string[],
): Refusal {
  const { percent } = lossOf(
    inputs.map((memory) => memory.text),
    text,
  );
  if (percent > limits.named_loss_percent) {
    return { reason: 'collapse', text: `it leaves out ${Math.round(percent)} % of the words` };
  }
  if (op === 'revise') return undefined;
  const left = likenessOf([ownWords(text), ...named].join('\n'));
  const forgotten = inputs.find((memory) => {
    const own = likenessOf(ownWords(memory.text));
    const lost_percent = 100 - containedPercent(own, left);
    return own.terms.size > 0 && lost_percent > limits.merge_input_loss_percent;
  });
  if (forgotten === undefined) return undefined;
  return { reason: 'collapse', text: `hardly a word of ${forgotten.path} is left` };
}

function wordsFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  const before = inputs.map(({ text }) => text).join('\n');
  const whys = 'removed' in operation ? operation.removed.map(({ why }) => why) : [];
  const reason = faultOfText([operation.reason, ...whys].join('\n'), '');
  if (operation.op === 'retire') return reason;
  const { body, history } = wordsOf(operation);
  return reason ?? faultOfText([body, ...history].join('\n'), before);
}

/** Below what people read only code writes; of what a program reads all is the model's. */
function wordsOf(operation: Exclude<Operation, { readonly op: 'retire' }>) {
  const { text } = operation;
  return isProse(outputPath(operation) ?? '') ? splitTrailer(text) : { body: text, history: [] };
}

/** An address that is new must stand in what people, agents or graders have said, not only strangers. */
function addressFault(operation: Operation, inputs: readonly SnapshotMemory[]): Refusal {
  if (operation.op === 'retire') return undefined;
  const { body } = wordsOf(operation);
  const known = inputs.map(({ text }) => text);
  return faultOfAddresses(body, operation.evidence, known);
}

/** A store is not emptied in one night: what is retired beyond the bound waits for the next dream. */
function retireFaults({ memories }: Snapshot, operations: readonly Operation[]): OperationFault[] {
  const share = Math.floor((memories.length * limits.dream_retire_percent) / 100);
  const most = Math.max(share, limits.dream_retire_count);
  const gone = operations.filter(({ op }) => op === 'retire');
  return gone.slice(most).map(({ change_id }) => ({
    change_id,
    reason: 'collapse',
    text: `a dream retires at most ${most} of ${memories.length} memories`,
  }));
}

/** Many small losses are a large one; those that are named, as large a one as retirements may be. */
function shrinkFaults({ memories }: Snapshot, operations: readonly Operation[]): OperationFault[] {
  const texts = new Map(memories.map(({ path, text }) => [path, text]));
  const total = memories.reduce((sum, { text }) => sum + ownWords(text).length, 0);
  let left = (total * limits.dream_shrink_percent) / 100;
  const some = (total / Math.max(1, memories.length)) * limits.dream_retire_count;
  let named_left = Math.max((total * limits.dream_retire_percent) / 100, some);
  return operations.flatMap((operation): OperationFault[] => {
    if (operation.op !== 'revise' && operation.op !== 'merge') return [];
    const named = operation.removed.reduce((sum, { what }) => sum + what.length, 0);
    const before = operation.op === 'revise' ? ownWords(texts.get(operation.path) ?? '').length : 0;
    // What a merge leaves out unnamed stands in another of its memories.
    const lost = Math.max(0, before - ownWords(operation.text).length - named);
    if (lost <= left && named <= named_left) {
      left -= lost;
      named_left -= named;
      return [];
    }
    const text = 'the revisions of this dream together shrink the store too much';
    return [{ change_id: operation.change_id, reason: 'collapse', text }];
  });
}
