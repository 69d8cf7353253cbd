import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../core/fault.ts';
import type { ModelContent, ModelItem } from './outcome-model.ts';
import type { ItemParams, ModelPut } from './model-wire.ts';

/** What a model is now, as a change of it sees it. */
export interface CurrentModel {
  readonly version: number;
  readonly deleted_at: string | null;
  readonly content: ModelContent;
}

/**
 * What a sent model becomes. Items without an id keep that of the same text in the version before,
 * so that reports can be compared across versions; a new one gets the first number that is free.
 *
 * @returns the current content itself when nothing really changes
 * @throws Fault `conflict` when `version` is not the model's (0: there must be none yet); `invalid`
 *   for a deleted model and for an id that stands there twice
 */
export function nextContent(
  current: CurrentModel | undefined,
  { version, ...sent }: ModelPut,
): ModelContent {
  if (current?.deleted_at != null) {
    throw new Fault(
      'invalid',
      'The outcome model of this agent was deleted, which cannot be undone. To pause reports, send "report": false instead of deleting.',
      { details: { error_code: 'outcome_model_deleted' } },
    );
  }
  if (version !== undefined && version !== (current?.version ?? 0)) {
    throw outdated(current?.version ?? 0);
  }
  const ids = new Ids(sent);
  const content: ModelContent = {
    success_criteria: sent.success_criteria.map(({ weight, ...item }) => ({
      ...ids.give('c', item, current?.content.success_criteria),
      weight,
    })),
    failure_modes: sent.failure_modes.map((item) =>
      ids.give('f', item, current?.content.failure_modes),
    ),
    signals: sent.signals.map((item) => ids.give('s', item, current?.content.signals)),
    report: sent.report,
  };
  return current !== undefined && isDeepStrictEqual(content, current.content)
    ? current.content
    : content;
}

function outdated(version: number): Fault {
  const stands = version === 0 ? 'there is none yet' : `it is at version ${version}`;
  return new Fault(
    'conflict',
    `version: not that of the outcome model: ${stands}. Read it again and send that version.`,
    { details: { error_code: 'outcome_model_version_mismatch' } },
  );
}

/** The ids of one model: those that were sent first, so that none is given twice. */
class Ids {
  readonly #taken = new Set<string>();

  constructor({ success_criteria, failure_modes, signals }: Omit<ModelPut, 'version'>) {
    for (const [field, items] of Object.entries({ success_criteria, failure_modes, signals })) {
      for (const [index, { id }] of items.entries()) {
        if (id === undefined) continue;
        if (this.#taken.has(id)) {
          const message = `${field}.${index}.id: '${id}' stands there twice. Ids are unique in the whole model.`;
          throw new Fault('invalid', message);
        }
        this.#taken.add(id);
      }
    }
  }

  give(letter: string, item: ItemParams, before: readonly ModelItem[] = []): ModelItem {
    const { text } = item;
    if (item.id !== undefined) return { id: item.id, text };
    const known = before.find((one) => one.text === text && !this.#taken.has(one.id));
    const id = known?.id ?? this.#free(letter, before);
    this.#taken.add(id);
    return { id, text };
  }

  /** Not one of the version before either: another text under its id would pass for the same item. */
  #free(letter: string, before: readonly ModelItem[]): string {
    for (let n = 1; ; n++) {
      const id = `${letter}${n}`;
      if (!this.#taken.has(id) && !before.some((one) => one.id === id)) return id;
    }
  }
}
