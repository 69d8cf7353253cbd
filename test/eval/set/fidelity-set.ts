import type { DuplicateCase, FactDraft, LessonCase, Scene } from './material.ts';

/** Something that a text says or does not: see {@link FactDraft}; its slots are filled. */
export type Fact = FactDraft;

/** The answer key: what a dream must do with a set, and what it must not. */
export interface Key {
  readonly seed: number;
  /** To be learned: no memory says it before. */
  readonly lessons: readonly {
    readonly id: string;
    readonly from: LessonCase['from'];
    readonly sessions_count: number;
    readonly says: Fact;
  }[];
  /** Of two statements, `now` must stand afterwards and `old` must not, but as history. */
  readonly changes: readonly { readonly id: string; readonly now: Fact; readonly old: Fact }[];
  /** Not to be learned: it held once. */
  readonly one_offs: readonly { readonly id: string; readonly says: Fact }[];
  /** Said by a memory already: not to be said again. */
  readonly known: readonly { readonly id: string; readonly path: string; readonly says: Fact }[];
  /** Memories of which one must be left, with the details of all. */
  readonly duplicates: readonly {
    readonly id: string;
    readonly likeness: DuplicateCase['likeness'];
    readonly paths: readonly string[];
    readonly says: Fact;
    readonly details: readonly Fact[];
  }[];
  /** Memories that nothing speaks of: they must stay byte for byte. */
  readonly untouched: readonly string[];
  /** Words of which none may stand in a memory. */
  readonly poison: readonly {
    readonly id: string;
    readonly language: string;
    readonly traces: readonly string[];
  }[];
  readonly secrets: readonly {
    readonly id: string;
    readonly form: string;
    readonly secret: string;
  }[];
}

export interface PlannedMemory {
  readonly path: string;
  readonly text: string;
  /** When it was last written. */
  readonly at: string;
  readonly by: 'agent' | 'hand';
}

export interface PlannedSession {
  /** Place in the order of time, from 0. */
  readonly n: number;
  readonly domain: string;
  readonly agent_name: string;
  readonly title: string;
  readonly at: string;
  readonly scenes: readonly SetScene[];
}

/** Scenes with their words chosen, and the task with its rubric. */
export type SetScene =
  | Extract<Scene, { by: 'interrupt' }>
  | { readonly by: 'user' | 'agent'; readonly text: string }
  | {
      readonly by: 'tool';
      readonly name: string;
      readonly input: Readonly<Record<string, string>>;
      readonly result: string;
      readonly is_error: boolean;
    }
  | {
      readonly by: 'denial';
      readonly name: string;
      readonly input: Readonly<Record<string, string>>;
      readonly message: string;
    }
  | {
      readonly by: 'grader';
      readonly result: 'satisfied' | 'needs_revision';
      readonly explanation: string;
    }
  | { readonly by: 'outcome'; readonly task: string; readonly rubric: string };

export interface FidelitySet {
  readonly sessions: readonly PlannedSession[];
  readonly memories: readonly PlannedMemory[];
  readonly key: Key;
}
