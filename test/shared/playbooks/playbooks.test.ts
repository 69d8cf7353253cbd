// Goal: programs and people write the same playbooks, and an index never outgrows a prompt.
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import type { Snapshot } from '#shared/dreams/snapshot.ts';
import { countUses, type JudgedUse } from '#shared/playbooks/count-uses.ts';
import { renderIndex } from '#shared/playbooks/index-page.ts';
import {
  parsePlaybook,
  playbook_schema,
  renderPlaybook,
  slugOf,
  type PlaybookFacts,
} from '#shared/playbooks/playbook.ts';
import { splitTrailer, withTrailer } from '#shared/playbooks/trailer.ts';
import { aMemory, aSnapshot, NEW, OLD, someEvidence } from '../dreams/samples.ts';

const facts: PlaybookFacts = {
  id: 'build-harvest',
  title: 'Build: the "harvest" service',
  situation: 'When the harvest service must be built.',
  scope: 'private',
  learned_from: { agent_id: 'agent_1', agent_version: 3, model: 'claude-opus-5' },
  evidence: [{ session_id: 'sesn_1', event_id: 'sevt_1', quote: 'line\n--- "two"' }],
  helpful: 1,
  harmful: 0,
  last_confirmed: OLD,
};

describe('a playbook', () => {
  test('is read as it was written, whatever its words', () => {
    const words = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });
    fc.assert(
      fc.property(words, fc.string(), (title, body) => {
        const fits = /^[^\p{Cc}\u2028\u2029]*$/u.test(title) && title.trim() === title;
        fc.pre(fits && title !== '' && !body.includes('\r') && !body.startsWith('\n'));
        const playbook = { facts: { ...facts, title }, body };
        expect(parsePlaybook(renderPlaybook(playbook))).toEqual(playbook);
      }),
    );
  });

  test('may be written by hand, with comments and plain words', () => {
    const text = renderPlaybook({ facts, body: 'Steps.' })
      .replace('scope: "private"', '# for all\nscope: shared')
      .replace('helpful: 1', 'helpful:   7  ');
    expect(parsePlaybook(text)).toMatchObject({ facts: { scope: 'shared', helpful: 7 } });
  });

  test.each([
    ['no front matter', 'Steps.', 'front matter'],
    ['an unknown field', 'id: x\nmood: good', ''],
    ['a field twice', 'id: x\nid: y', 'second time'],
    ['a value that YAML reads otherwise', 'title: *anchor', 'cannot be read'],
    ['an item of no list', 'id: x\n  - y', 'no list item'],
    ['nesting', 'learned_from:\n  agent_id: x', 'name: value'],
  ])('is refused with %s', (_, lines, fault) => {
    const text = lines === 'Steps.' ? lines : `---\n${lines}\n---\n`;
    expect(parsePlaybook(text)).toMatchObject({ fault: expect.stringContaining(fault) as string });
  });

  test('has a published schema that says the same', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const isValid = ajv.compile({
      ...playbook_schema,
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
    expect(isValid(facts)).toBe(true);
    expect(isValid({ ...facts, mood: 'good' })).toBe(false);
    expect(isValid({ ...facts, scope: 'public' })).toBe(false);
  });

  test('has a name that a path can hold', () => {
    expect(slugOf('Build: the "Härvest"!')).toBe('build-the-ha-rvest');
    expect(slugOf('収穫')).toMatch(/^lesson-[0-9a-f]{8}$/);
  });
});

describe('counts', () => {
  const path = '/playbooks/build-harvest.md';
  const textOf = (counts: Partial<PlaybookFacts>) =>
    renderPlaybook({ facts: { ...facts, ...counts }, body: 'Steps.\n' });
  const store = (counts: Partial<PlaybookFacts>) => aSnapshot(aMemory(path, textOf(counts)));
  const used_by = { agent_id: 'agent_1', agent_version: 3, model: 'claude-opus-5' };
  const use = (
    n: number,
    outcome: 'success' | 'failure' | undefined,
    at = NEW,
    over: Partial<JudgedUse> = {},
  ): JudgedUse => {
    const session_id = `sesn_${String(n).padStart(3, '0')}`;
    const verdict = outcome === undefined ? null : someEvidence({ session_id, outcome, at });
    return { path, session_id, event_id: 'sevt_read', used_by, verdict, ...over };
  };
  const countedIn = (snapshot: Snapshot, uses: readonly JudgedUse[]): PlaybookFacts => {
    const [operation] = countUses(snapshot, uses);
    const playbook = parsePlaybook(operation?.op === 'revise' ? operation.text : '');
    if ('fault' in playbook) throw new Error(playbook.fault);
    expect(playbook.body).toBe('Steps.\n');
    return playbook.facts;
  };

  test('are moved by verdicts, once for a session, and by nothing else', () => {
    const uses = [use(1, 'failure', OLD), use(1, 'success'), use(2, 'failure'), use(3, undefined)];
    expect(countedIn(store({}), uses)).toMatchObject({
      helpful: 2,
      harmful: 1,
      last_confirmed: NEW,
      counted_sessions: ['sesn_001', 'sesn_002'],
    });
    const [operation] = countUses(store({}), uses);
    expect(operation).toMatchObject({
      source: 'counts',
      reason: expect.stringContaining('1 succeeded, 1 failed: now helpful 2') as string,
      evidence: [{ session_id: 'sesn_001' }, { session_id: 'sesn_002' }],
    });
    expect(countUses(store({}), [use(3, undefined)])).toEqual([]);
    expect(countUses(store({}), [use(1, 'success', NEW, { path: '/playbooks/x.md' })])).toEqual([]);
  });

  test('stand by the text that has them: repeated they move nothing, rolled back they do', () => {
    const once = countUses(store({}), [use(1, 'success')]);
    const text = once[0]?.op === 'revise' ? once[0].text : '';
    const again = aSnapshot(aMemory(path, text));
    expect(countUses(again, [use(1, 'success'), use(1, 'failure')])).toEqual([]);
    expect(countedIn(again, [use(1, 'success'), use(2, 'success')])).toMatchObject({ helpful: 3 });
    expect(countedIn(store({}), [use(1, 'success')])).toMatchObject({ helpful: 2 });
  });

  test('know only so many sessions, and count none again that they have forgotten', () => {
    const counted_sessions = Array.from(
      { length: limits.playbook_counted_max },
      (_, n) => `sesn_${String(n + 100)}`,
    );
    const full = store({ counted_sessions });
    expect(countUses(full, [use(99, 'success')])).toEqual([]);
    const after = countedIn(full, [use(200, 'success')]);
    expect(after.helpful).toBe(2);
    expect(after.counted_sessions).toHaveLength(limits.playbook_counted_max);
    expect(after.counted_sessions?.at(-1)).toBe('sesn_200');
    const short = store({ counted_sessions: ['sesn_100'] });
    expect(countedIn(short, [use(99, 'success')]).helpful).toBe(2);
  });

  test('take version and model as new grounds where it has helped under the same agent', () => {
    const later = { ...used_by, agent_version: 9, model: 'claude-opus-6' };
    const other = { ...later, agent_id: 'agent_2' };
    const learned = (outcome: 'success' | 'failure', by: typeof later) =>
      countedIn(store({ learned_from: used_by }), [use(1, outcome, NEW, { used_by: by })])
        .learned_from;
    expect(learned('success', later)).toEqual(later);
    expect(learned('failure', later)).toEqual(used_by);
    expect(learned('success', other)).toEqual(used_by);
  });

  test('retire a playbook that keeps doing harm, and not one that has just helped', () => {
    const failing = [use(1, 'failure'), use(2, 'failure'), use(3, 'failure')];
    expect(countUses(store({ helpful: 1 }), failing)).toMatchObject([{ op: 'retire', path }]);
    expect(countUses(store({ helpful: 2 }), failing)).toMatchObject([{ op: 'revise' }]);
    const later = [...failing, use(4, 'success', '2026-11-21T00:00:00.000Z')];
    expect(countUses(store({ helpful: 0 }), later)).toMatchObject([{ op: 'revise' }]);
    // Never on age: what nobody has used stays.
    expect(countUses(store({ harmful: 9, last_confirmed: OLD }), [])).toEqual([]);
  });
});

describe('an index', () => {
  const playbook = (helpful: number) => renderPlaybook({ facts: { ...facts, helpful }, body: '' });

  test('names the best playbooks first and keeps what people wrote around it', () => {
    const memories = new Map([
      ['/playbooks/a.md', playbook(1)],
      ['/playbooks/b.md', playbook(5)],
      ['/notes/n.md', '# Port of harvest <!-- /reverie:index -->\nmore'],
      ['/x.md', 'first line\nsecond'],
    ]);
    const own = `Read this.\n${renderIndex(new Map())}Thanks.`;
    const text = renderIndex(memories, own);
    expect(text).toMatch(/^Read this\.\n<!-- reverie:index -->[\s\S]*-->\nThanks\.$/);
    expect(text.indexOf('/playbooks/b.md')).toBeLessThan(text.indexOf('/playbooks/a.md'));
    expect(text).toContain('- /x.md: first line\n');
    expect(renderIndex(memories, text)).toBe(text);
  });

  test.each([
    ['only its beginning', 'Mine.\n<!-- reverie:index -->\nMore of mine.'],
    ['only its end', 'Mine.\n<!-- /reverie:index -->\nMore of mine.'],
  ])('that a person has left with %s keeps all that is there, and is found again', (_, own) => {
    const text = renderIndex(new Map([['/x.md', 'first']]), own);
    expect(text.startsWith(`${own}\n`)).toBe(true);
    expect(text).toContain('- /x.md: first\n');
    expect(renderIndex(new Map(), text)).not.toContain('/x.md');
  });

  test('fits into a prompt and counts what it leaves out', () => {
    const many = new Map(
      Array.from({ length: 2_000 }, (_, n) => [`/notes/${n}.md`, 'ö'.repeat(300)]),
    );
    const text = renderIndex(many);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.store_index_bytes_max);
    const shown = text.match(/^- \/notes/gm)?.length ?? 0;
    expect(text).toContain(`${2_000 - shown} more memories are not listed here.`);
  });
});

test('sources and history stand below a text and come off again', () => {
  const text = withTrailer('Words.\n', {
    sources: ['a (x)', 'a (x)'],
    history: ['"old" (until y)'],
  });
  expect(splitTrailer(text)).toEqual({
    body: 'Words.\n',
    sources: ['a (x)'],
    history: ['"old" (until y)'],
  });
  expect(withTrailer('Words.\n', { sources: [], history: [] })).toBe('Words.\n');
});
