/**
 * What a fidelity set is drawn from: authored stories of work, with slots `{name}` for values and
 * lists for wordings, so that another seed gives another set that says the same kind of things.
 */

/** One text, or wordings of which a draw takes one. */
export type Wordings = string | readonly string[];

/** Something that happens in a session, before it is an event. */
export type Scene =
  | { readonly by: 'user' | 'agent'; readonly text: Wordings }
  | {
      readonly by: 'tool';
      readonly name: string;
      readonly input: Readonly<Record<string, string>>;
      readonly result: Wordings;
      readonly is_error: boolean;
    }
  | {
      readonly by: 'denial';
      readonly name: string;
      readonly input: Readonly<Record<string, string>>;
      readonly message: Wordings;
    }
  | { readonly by: 'interrupt' }
  | {
      readonly by: 'grader';
      readonly result: 'satisfied' | 'needs_revision';
      readonly explanation: Wordings;
    };

export const user = (...text: string[]): Scene => ({ by: 'user', text });
export const agent = (...text: string[]): Scene => ({ by: 'agent', text });
export const interrupt: Scene = { by: 'interrupt' };
export const bash = (command: string, ...result: string[]): Scene => ({
  by: 'tool',
  name: 'bash',
  input: { command },
  result,
  is_error: false,
});
export const bashFails = (command: string, ...result: string[]): Scene => ({
  by: 'tool',
  name: 'bash',
  input: { command },
  result,
  is_error: true,
});
export const reads = (file_path: string, ...result: string[]): Scene => ({
  by: 'tool',
  name: 'read',
  input: { file_path },
  result,
  is_error: false,
});
export const fetches = (url: string, ...result: string[]): Scene => ({
  by: 'tool',
  name: 'web_fetch',
  input: { url },
  result,
  is_error: false,
});
export const denied = (command: string, ...message: string[]): Scene => ({
  by: 'denial',
  name: 'bash',
  input: { command },
  message,
});
export const graded = (
  result: 'satisfied' | 'needs_revision',
  ...explanation: string[]
): Scene => ({ by: 'grader', result, explanation });

/**
 * What a text must hold to say something. `values`: what no paraphrase replaces; each must stand
 * there, `a|b` in one of its forms. `about`: likewise, what it is about; or, in place of all of
 * them, enough likeness to `like`.
 */
export interface FactDraft {
  readonly values: readonly string[];
  readonly about: readonly string[];
  readonly like: string;
}

export type Slots = Readonly<Record<string, readonly string[]>>;

interface Case {
  /** Of the whole material. */
  readonly id: string;
  readonly slots: Slots;
}

/** What sessions teach. */
export interface LessonCase extends Case {
  readonly from: 'correction' | 'mistake' | 'denial' | 'interrupt' | 'success' | 'fact';
  readonly scenes: readonly Scene[];
  readonly says: FactDraft;
  /** Sessions in which it happens. @default 1 */
  readonly times?: number;
}

/** Two statements that cannot both hold. Which one wins is a matter of their dates alone. */
export interface ChangeCase extends Case {
  /**
   * `memory_is_older`: a memory says `old`, a later session `now`. `memory_is_newer`: a session says
   * `old`, a memory that was written later `now`. `sessions`: an earlier session says `old`, a later
   * one `now`.
   */
  readonly between: 'memory_is_older' | 'memory_is_newer' | 'sessions';
  readonly path: string;
  readonly memory: string;
  readonly old_scenes: readonly Scene[];
  readonly now_scenes: readonly Scene[];
  readonly old: FactDraft;
  readonly now: FactDraft;
}

/** What must not be learned: it held once. */
export interface OneOffCase extends Case {
  readonly scenes: readonly Scene[];
  readonly says: FactDraft;
}

/** What a memory says already and a session only confirms. */
export interface KnownCase extends Case {
  readonly path: string;
  readonly memory: string;
  readonly scenes: readonly Scene[];
  readonly says: FactDraft;
}

/** Memories that say the same. `details` stand in one of them only, and must outlive the merge. */
export interface DuplicateCase extends Case {
  readonly likeness: 'exact' | 'near' | 'paraphrase';
  readonly memories: readonly (readonly [path: string, text: string])[];
  readonly says: FactDraft;
  readonly details: readonly FactDraft[];
}

/** Memories that look the same and are not: both must stay. */
export interface ApartCase extends Case {
  readonly memories: readonly (readonly [path: string, text: string])[];
}

/** A kind of memory of which there are many: what a store mostly is. */
export interface ProfileKind {
  readonly folder: string;
  readonly names: readonly string[];
  /** Lines of which each profile takes the first and some of the others; `#` becomes a digit. */
  readonly lines: readonly string[];
  readonly slots: Slots;
}

/** What happens in every session of a domain beside what is planted. */
export interface Work {
  readonly openings: readonly string[];
  readonly closings: readonly string[];
  readonly rubric: string;
  /** Columns of the tables that tools show, with what stands in them. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly files: readonly string[];
}

export interface Domain {
  readonly name: string;
  readonly agent_name: string;
  readonly work: Work;
  readonly lessons: readonly LessonCase[];
  readonly changes: readonly ChangeCase[];
  readonly one_offs: readonly OneOffCase[];
  readonly known: readonly KnownCase[];
  readonly duplicates: readonly DuplicateCase[];
  readonly apart: readonly ApartCase[];
  readonly profiles: readonly ProfileKind[];
}

/** Strangers' words that would steer an agent. Of `traces`, none may stand in a memory. */
export interface PoisonCase extends Case {
  readonly language: string;
  readonly by: 'a tool' | 'a page' | 'a file' | 'a quoted mail';
  readonly scenes: readonly Scene[];
  readonly traces: readonly string[];
}

/** Something secret; `{secret}` is made anew for each set. */
export interface SecretCase extends Case {
  readonly form: string;
  /** `<A4>` stands for four capitals or digits, `<a4>` for small letters, `<d4>` digits, `<m4>` any. */
  readonly pattern: string;
  readonly scenes: readonly Scene[];
}

export const fact = (
  values: readonly string[],
  about: readonly string[],
  like: string,
): FactDraft => ({ values, about, like });
