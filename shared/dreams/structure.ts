import { faultOfPath, foldersOf } from '../memory/path.ts';
import { INDEX_PATH } from '../playbooks/index-page.ts';
import { isPlaybookPath, parsePlaybook } from '../playbooks/playbook.ts';
import { inputPaths, outputPath, type Operation } from './operation.ts';
import type { DropReason } from './report.ts';
import type { Snapshot } from './snapshot.ts';
import { splitText } from './split-text.ts';

export interface OperationFault {
  readonly change_id: string;
  readonly reason: DropReason;
  readonly text: string;
}

const NEW_PLACE = /^\/(notes|playbooks)\/[^/]+\.md$/;

/**
 * What makes operations impossible to apply, whatever they say: the first operation on a path has
 * it, so every one that is left can be taken or refused by itself.
 */
export function structureFaults(
  snapshot: Snapshot,
  operations: readonly Operation[],
): OperationFault[] {
  const texts = new Map(snapshot.memories.map(({ path, text }) => [path, text]));
  const claimed = new Set<string>();
  const folders = new Set([...texts.keys()].flatMap(foldersOf));
  const faults: OperationFault[] = [];
  for (const operation of operations) {
    const wanted = new Set([...inputPaths(operation), ...outputsOf(operation)]);
    const fault =
      inputFault(operation, texts) ??
      ([...wanted].some((path) => claimed.has(path))
        ? refusal('conflicting_operation', 'another operation has one of its memories')
        : outputFault(operation, texts, { folders, claimed }));
    if (fault !== undefined) {
      faults.push({ change_id: operation.change_id, ...fault });
      continue;
    }
    for (const path of wanted) {
      claimed.add(path);
      if (!texts.has(path)) for (const folder of foldersOf(path)) folders.add(folder);
    }
  }
  return faults;
}

type Refusal = Omit<OperationFault, 'change_id'>;

const refusal = (reason: DropReason, text: string): Refusal => ({ reason, text });

/** Where an operation leaves texts: more than one path when a text is too long for one memory. */
export function outputsOf(operation: Operation): string[] {
  const path = outputPath(operation);
  if (path === undefined || operation.op === 'retire') return [];
  return splitText(path, operation.text).map((part) => part.path);
}

function inputFault(operation: Operation, texts: ReadonlyMap<string, string>): Refusal | undefined {
  const inputs = inputPaths(operation);
  const unknown = inputs.find((path) => !texts.has(path));
  if (unknown !== undefined) return refusal('unknown_path', `there is no memory ${unknown}`);
  if (inputs.includes(INDEX_PATH)) return refusal('bad_path', 'the index is rendered');
  if (operation.op === 'merge' && new Set(inputs).size < 2) {
    return refusal('no_change', 'a merge takes two memories or more');
  }
  if (operation.op === 'revise' && texts.get(operation.path) === operation.text) {
    return refusal('no_change', 'the text is as it was');
  }
  return undefined;
}

interface Taken {
  readonly folders: ReadonlySet<string>;
  readonly claimed: ReadonlySet<string>;
}

function outputFault(
  operation: Operation,
  texts: ReadonlyMap<string, string>,
  taken: Taken,
): Refusal | undefined {
  const path = outputPath(operation);
  if (path === undefined || operation.op === 'retire') return undefined;
  if (path === INDEX_PATH) return refusal('bad_path', 'the index is rendered');
  const may_exist = operation.op === 'supersede' || inputPaths(operation).includes(path);
  const [first, ...more] = outputsOf(operation);
  const other = [...(may_exist ? [] : [first ?? path]), ...more].find((each) => texts.has(each));
  if (other !== undefined) return refusal('bad_path', `${other} is another memory`);
  const fault = textFault(path, operation.text, more.length > 0);
  if (fault !== undefined) return fault;
  const fresh = [path, ...more].filter((each) => !texts.has(each));
  return fresh.map((each) => placeFault(each, texts, taken)).find((each) => each !== undefined);
}

function textFault(path: string, text: string, is_split: boolean): Refusal | undefined {
  if (text.trim() === '' || !text.isWellFormed()) {
    return refusal('no_change', 'it would leave no readable text');
  }
  if (!isPlaybookPath(path)) return undefined;
  const playbook = parsePlaybook(text);
  if ('fault' in playbook) return refusal('bad_playbook', playbook.fault);
  if (is_split) return refusal('too_large', 'a playbook must fit into one memory');
  return undefined;
}

function placeFault(
  path: string,
  texts: ReadonlyMap<string, string>,
  { folders, claimed }: Taken,
): Refusal | undefined {
  const fault = faultOfPath(path);
  if (fault !== undefined) return refusal('bad_path', `path ${fault}`);
  if (!NEW_PLACE.test(path)) {
    return refusal('bad_path', 'new memories stand in /notes/*.md or /playbooks/*.md');
  }
  const above = foldersOf(path).some((folder) => texts.has(folder) || claimed.has(folder));
  if (above || folders.has(path)) return refusal('bad_path', `${path} is in the way of a memory`);
  return undefined;
}
