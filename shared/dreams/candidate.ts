import type { Speaker } from './piece.ts';

/** Where a claim comes from: a passage that stands in an event, word for word but for white space. */
export interface Evidence {
  readonly session_id: string;
  readonly event_id: string;
  readonly quote: string;
}

/** Evidence that code has found to stand where it is said to. */
export interface HeldEvidence extends Evidence {
  /** Of the event. */
  readonly at: string;
  readonly speaker: Speaker;
  /** What became of the session, by its last verdict. */
  readonly outcome: 'success' | 'failure' | 'unknown';
}

/** Something that may be worth remembering, from one piece of one session. */
export interface Candidate {
  /** `<session id>/<piece n>/<place in its answer>`. */
  readonly candidate_id: string;
  readonly kind: 'success' | 'failure';
  /** Whose session it was. */
  readonly learned_from: {
    readonly agent_id: string;
    readonly agent_version: number;
    readonly model: string;
  };
  readonly situation: string;
  readonly advice: string;
  readonly why: string;
  /** At least one. */
  readonly evidence: readonly HeldEvidence[];
  /** The memory that it speaks of. */
  readonly existing_path?: string;
  readonly stance?: 'confirms' | 'contradicts';
}
