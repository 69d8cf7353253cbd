import pLimit from 'p-limit';
import { limits } from '../../core/limits.ts';
import { applyOperations } from '../apply-operations.ts';
import type { Candidate } from '../candidate.ts';
import { consolidate } from '../consolidate.ts';
import { countUses, type JudgedUse } from '../../playbooks/count-uses.ts';
import { dreamObject } from '../dream.ts';
import { gate } from '../gate.ts';
import type { Dropped, GateResult, SkippedPiece } from '../report.ts';
import type { Consolidation, Reflection, Verification } from '../thinking.ts';
import { verify } from '../verify.ts';
import { evidenceTexts } from './evidence-texts.ts';
import { checkSessions, readSnapshot } from './gather.ts';
import { readUses } from './read-uses.ts';
import { piecesDone } from './reflect-session.ts';
import type { Work } from './work.ts';

/** What all pieces of all sessions came to, in their order. */
export interface Reflections {
  readonly candidates: readonly Candidate[];
  readonly dropped: readonly Dropped[];
  readonly skipped: readonly SkippedPiece[];
}

/** `consolidated.json`, `verified.json`: what the stage said, but for its usage, which is counted. */
export type Consolidated = Omit<Consolidation, 'usage'> & {
  /** Playbooks that the sessions have read. */
  readonly uses: readonly JudgedUse[];
};
export type Verified = Omit<Verification, 'usage'>;

const nothing: Verified = { operations: [], dropped: [] };

/**
 * Kept as one object: three stages read it, from what may be hundreds. Called behind the Map alone, when
 * every piece has its result.
 */
export async function readReflections(work: Work): Promise<Reflections> {
  return await work.once('reflections', async () => await readPieces(work));
}

async function readPieces(work: Work): Promise<Reflections> {
  const { ports, head } = work;
  const limit = pLimit(limits.copies_parallel_max);
  const keys = (await piecesDone(work)).map(({ sk }) => {
    const [, session_n, piece_n] = sk.split('#');
    const name = `pieces/${Number(session_n)}/${Number(piece_n)}.json`;
    return dreamObject(head.dream_id, name);
  });
  const read = keys.map((key) =>
    limit(async () => JSON.parse(Buffer.from(await ports.blobs.get(key)).toString('utf8'))),
  );
  const reflections = (await Promise.all(read)) as Reflection[];
  return {
    candidates: reflections.flatMap(({ candidates }) => candidates),
    dropped: reflections.flatMap(({ dropped }) => dropped),
    skipped: reflections.flatMap(({ skipped }) => skipped ?? []),
  };
}

/** The state Consolidate: lessons become operations. */
export async function consolidateDream(work: Work): Promise<Consolidated> {
  return await work.once('consolidated', async () => {
    await work.enter('consolidate');
    const { candidates } = await readReflections(work);
    const { instructions } = work.head;
    const snapshot = await readSnapshot(work);
    // Kept: what is said of a session later would make other questions of those that wait for a batch.
    const uses = await work.once('uses', async () => await readUses(work, snapshot));
    const decided = countUses(snapshot, uses);
    const asked = { snapshot, candidates, decided, instructions };
    const { usage: _, ...consolidated } = await consolidate(work.think, asked, work.signal);
    return { ...consolidated, uses };
  });
}

/** The state Verify: what stands is what code and a second request have let through. */
export async function verifyDream(work: Work): Promise<Verified> {
  return await work.once('verified', async () => {
    await work.enter('verify');
    const consolidated = await consolidateDream(work);
    if (consolidated.operations.length === 0) return nothing;
    // Else its quotes would stand nowhere, and the model be blamed for it.
    await checkSessions(work);
    const proposed = {
      snapshot: await readSnapshot(work),
      operations: consolidated.operations,
      counts: consolidated.counts,
      ...(await evidenceTexts(work, [...consolidated.operations, ...consolidated.counts])),
    };
    const { operations, dropped } = await verify(work.think, proposed, work.signal);
    return { operations, dropped };
  });
}

/** The state Gate: null where there is nothing to judge. */
export async function gateDream(work: Work): Promise<GateResult | null> {
  return await work.once('gate', async () => {
    await work.enter('gate');
    const { operations } = await verifyDream(work);
    if (operations.length === 0) return null;
    const snapshot = await readSnapshot(work);
    const { next } = applyOperations(snapshot, operations);
    const { candidates } = await readReflections(work);
    const judged = await gate(work.think, { snapshot, next, operations, candidates }, work.signal);
    return judged.gate;
  });
}
