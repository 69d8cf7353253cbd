import { startModel, type ModelRequest, type ScriptedModel } from '../../model/model.ts';
import { call, type Reply } from '../../model/replies.ts';
import { modelAt } from '../models/samples.ts';
import { startRig, type Rig } from '../tools/rig.ts';
import { grade } from '#shared/outcomes/grade.ts';
import { gradedFilesWith } from '#shared/outcomes/graded-files.ts';
import type { GradeOptions, GradePorts, Grading, Verdict } from '#shared/outcomes/grading.ts';

export const OUT = '/mnt/session/outputs';

/** A session's real files and sandbox, a scripted model over HTTP. */
export interface GradeRig {
  readonly tools: Rig;
  readonly model: ScriptedModel;
  readonly ports: GradePorts;
  /** Write files of a session that nobody else uses. @returns the session */
  session(files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  grade(
    session_id: string,
    patch?: Partial<Grading>,
    options?: Partial<GradeOptions>,
  ): Promise<Verdict>;
  stop(): Promise<void>;
}

/** @param port Where every public address leads on loopback. */
export async function startGradeRig(port = 1): Promise<GradeRig> {
  const tools = await startRig({ port });
  const model = await startModel({ window_tokens: 100_000_000 });
  let sessions = 0;
  const ports: GradePorts = {
    model: modelAt(model.url),
    files: gradedFilesWith({ ...tools, manifests: tools.files.manifests }),
    dialer: tools.dialer,
    clock: tools.clock,
    newName: tools.newName,
    prices: {},
  };
  const author = { thread_id: 'sthr_1', event_id: 'sevt_1' };
  return {
    tools,
    model,
    ports,
    session: async (files) => {
      const session_id = `sesn_${++sessions}`;
      for (const [path, content] of Object.entries(files)) {
        await tools.files.write(session_id, path, Buffer.from(content), {
          workspace_id: 'wrkspc_1',
          written_by: author,
        });
      }
      return session_id;
    },
    grade: async (session_id, patch = {}, options = {}) =>
      await grade(
        ports,
        { ...aGrading, session_id, ...patch },
        {
          signal: new AbortController().signal,
          deadline_ms: Date.now() + 600_000,
          heartbeat: async () => {},
          ...options,
        },
      ),
    stop: async () => {
      await model.close();
      await tools.stop();
    },
  };
}

const aGrading: Grading = {
  session_id: 'sesn_0',
  thread_id: 'sthr_1',
  outcome_id: 'outc_1',
  start_event_id: 'sevt_start',
  iteration: 0,
  description: 'Write a report on the harvest.',
  rubric: '- It names the yield.\n- It has a source.',
  model: { id: 'claude-opus-5', effort: { type: 'high' }, speed: 'standard' },
  web: null,
};

/** One criterion of a submission. */
export function entry(
  id: string,
  verdict: string,
  ...evidence: readonly { path: string; quote?: string }[]
) {
  return { id, verdict, reason: `reason of ${id}`, evidence };
}

export function submit(...criteria: readonly object[]): Reply {
  return call('submit_verdict', { criteria });
}

/** All words of a request, as they stand on the wire. */
export function wireOf({ body }: ModelRequest): string {
  return JSON.stringify(body);
}

/** The tool results and texts of a request's last message. */
export function lastTold({ body }: ModelRequest): string {
  return JSON.stringify(body.messages.at(-1));
}
