/** What a deleted session has said is quoted by no dream; what was learned from it stays. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REDACTED } from '#shared/dreams/redacted.ts';
import { redactDreams } from '#shared/redactions/redact-dreams.ts';
import { anOperation, someEvidence } from '../../shared/dreams/samples.ts';
import { aPlaybook } from '../../shared/playbooks/samples.ts';
import { putDream, putReport, snapshotOf } from '../../shared/reviews/review-rig.ts';
import { gate, startForgettingRig, type ForgettingRig } from './forgetting-rig.ts';

let rig: ForgettingRig;
beforeAll(async () => {
  rig = await startForgettingRig();
});
afterAll(async () => await rig.door.stop());

const never = (): boolean => false;

const stores = () => rig.client.beta.memoryStores;

describe('a session that is deleted', () => {
  const quote = 'my name is Ada Lovelace';
  const quoted = (session_id: string) => someEvidence({ session_id, event_id: 'sevt_9', quote });

  test('is quoted no more; what was learned from it stays, and can be applied', async () => {
    const [gone, there] = [await rig.aSession(), await rig.aSession()];
    const { store_id } = await rig.storeOf();
    const { quote: _, ...place } = quoted(gone);
    const book = aPlaybook({
      evidence: [
        { session_id: gone, event_id: place.event_id, quote },
        { session_id: there, event_id: 'sevt_1', quote: 'the file is odd' },
      ],
    });
    const learned = [
      anOperation('c0001', {
        op: 'add',
        path: '/playbooks/odd.md',
        text: book,
        evidence: [quoted(gone), someEvidence({ session_id: there })],
      }),
    ];
    const session_ids = [gone, there].toSorted();
    const snapshot = await snapshotOf(rig.door.ports, store_id);
    const fabricated = { workspace_id: rig.workspace_id, store_id, snapshot, operations: learned };
    const id = await putDream(rig.door.ports, fabricated, { session_ids });
    const of_session = { stage: 'reflect', reason: 'secret', what: 'Ada Lovelace called' } as const;
    const use = {
      path: '/playbooks/odd.md',
      session_id: gone,
      event_id: 'sevt_8',
      used_by: { agent_id: 'agent_1', agent_version: 1, model: 'm' },
      verdict: quoted(gone),
    };
    const titles: Record<string, string> = { [gone]: 'Lovelace', [there]: 'Babbage' };
    await putReport(rig.door.ports, id, {
      snapshot,
      operations: learned,
      session_ids,
      sessions: session_ids.map((session_id) => ({ session_id, title: titles[session_id] ?? '' })),
      dropped: [
        { ...of_session, evidence: [quoted(gone)] },
        { ...of_session, evidence: [] },
      ],
      uses: [use],
      gate: { ...gate, scores: [{ ...gate.scores[0], from: 'evidence', expected: 'Lovelace' }] },
    });
    expect(await rig.allOf(id)).toContain('Lovelace');
    await rig.client.beta.sessions.delete(gone);
    expect(await redactDreams(rig.door.ports, gone, never)).toBe(true);

    const { report, said } = await rig.readable(id);
    const kept = `${await rig.allOf(id)} ${said}`;
    expect(kept).not.toContain('Lovelace');
    expect(kept).toContain('the file is odd');
    expect(report.sessions).toContainEqual({ session_id: there, title: 'Babbage' });
    expect(report.operations[0]?.evidence[0]).toEqual({ ...quoted(gone), quote: REDACTED });
    expect((await rig.own.changes(id)).data).toMatchObject([
      { redacted: false, state: 'proposed' },
    ]);
    await rig.own.acceptAll(id);
    const apply = await rig.own.apply(id, { memory_store_id: store_id });
    expect(apply).toMatchObject({ applied_count: 1, conflict_count: 0 });
    for await (const item of stores().memories.list(store_id, { view: 'full' })) {
      if (item.type !== 'memory' || item.path !== '/playbooks/odd.md') continue;
      expect(item.content).toBe(book.replace(quote, REDACTED));
    }
  });

  test('a rollback goes by what a dream wrote in its own store, not by what is left of it', async () => {
    const gone = await rig.aSession();
    const { store_id } = await rig.storeOf();
    const evidence = [{ session_id: gone, event_id: 'sevt_9', quote }];
    const text = aPlaybook({ evidence });
    const learned = [
      anOperation('c0001', {
        op: 'add',
        path: '/playbooks/odd.md',
        text,
        evidence: [quoted(gone)],
      }),
    ];
    const snapshot = await snapshotOf(rig.door.ports, store_id);
    await stores().memories.create(store_id, { path: '/playbooks/odd.md', content: text });
    const fabricated = { workspace_id: rig.workspace_id, store_id, snapshot, operations: learned };
    const output_behavior = { type: 'update_existing', memory_store_id: store_id } as const;
    const changed = { session_ids: [gone], output_behavior };
    const id = await putDream(rig.door.ports, fabricated, changed);
    await putReport(rig.door.ports, id, { snapshot, operations: learned, session_ids: [gone] });
    await rig.client.beta.sessions.delete(gone);
    expect(await redactDreams(rig.door.ports, gone, never)).toBe(true);
    const [apply] = (await rig.own.applies(id)).data;
    expect(await rig.own.rollBack(id, apply?.id ?? '')).toMatchObject({ rolled_back_count: 1 });
  });
});
