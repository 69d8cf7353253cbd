import type { SessionAgent } from '../sessions/session.ts';
import type { OutcomeModel } from '../outcome-models/outcome-model.ts';
import type { Criterion } from '../outcomes/criteria.ts';
import { Audit } from '../outcomes/conversation.ts';
import type { Judged } from '../outcomes/explanation.ts';
import { judge } from '../outcomes/grade.ts';
import type { GradeOptions, GradePorts, Verdict } from '../outcomes/grading.ts';
import type { WebRules } from '../tools/web-rules.ts';
import { report_instructions, report_prompt_version, reportBrief } from './prompts.ts';
import type { Findings, Observation, Observed, ReportEvidence, ReportResult } from './report.ts';
import type { Story } from './story.ts';

/** A session at the rest that a report is about. */
export interface ReportedSession {
  readonly report_id: string;
  readonly session_id: string;
  readonly thread_id: string;
  readonly run: number;
  readonly outcome_model: OutcomeModel;
  readonly story: Story;
  /** The agent's own model. */
  readonly model: SessionAgent['model'];
  /** The agent's rules of web_fetch; null where it has none. */
  readonly web: WebRules | null;
}

export interface Reported extends Omit<Verdict, 'result' | 'criteria'> {
  readonly result: ReportResult;
  readonly findings: Findings;
  /** The success criteria, as verdicts have them. */
  readonly criteria: readonly Judged[];
}

const EVENT = 'event:';
const FACTS = 'session:facts';

/**
 * Judge a session by its agent's outcome model: the machinery and the isolation of outcomes' graders,
 * over the deliverables and what {@link readStory} tells. Nothing is written.
 *
 * @throws ModelError
 */
export async function judgeSession(
  ports: GradePorts,
  session: ReportedSession,
  options: GradeOptions,
): Promise<Reported> {
  const { outcome_model, story, report_id, run } = session;
  const audit = new Audit(ports, session, options.spent);
  const criteria = itemsOf(outcome_model);
  const verdict = await judge(
    ports,
    audit,
    {
      session_id: session.session_id,
      model: session.model,
      web: session.web,
      event_id: report_id,
      noted: {
        report_id,
        run,
        outcome_model_version: outcome_model.version,
        report_prompt_version,
      },
      criteria,
      task_texts: criteria.map(({ text }) => text),
      pages: pagesOf(story),
      instructions: report_instructions,
      brief: (boundary, seen) => reportBrief(boundary, { model: outcome_model, story, ...seen }),
      unjudged: 'cannot_tell',
      // A model is its owner's, and no task that it could contradict.
      fit: async () => ({ fits: true, reason: '' }),
      grader_prompt_version: report_prompt_version,
    },
    options,
  );
  return reportOf(session, verdict);
}

function itemsOf({ success_criteria, failure_modes, signals }: OutcomeModel): Criterion[] {
  return [...success_criteria, ...failure_modes, ...signals].map(({ id, text }) => ({
    id,
    under: [],
    text,
  }));
}

/** By their addresses as evidence names them; a quote may be of the words or of the line. */
function pagesOf({ lines, facts }: Story): Map<string, string> {
  const pages = lines.map((line): [string, string] => [
    EVENT + line.event_id,
    `${JSON.stringify(line)}\n${line.text ?? ''}`,
  ]);
  return new Map([...pages, [FACTS, JSON.stringify(facts)]]);
}

const observed = {
  met: 'observed',
  not_met: 'not_observed',
  cannot_tell: 'cannot_tell',
} as const satisfies Record<Judged['verdict'], Observed>;

/** What the verdict means in the words of the model. */
function reportOf({ outcome_model, story }: ReportedSession, verdict: Verdict): Reported {
  const judged = new Map(verdict.criteria.map((one) => [one.id, one]));
  const found = ({ id }: { id: string }) => {
    const { verdict: judgement = 'cannot_tell', reason = '', evidence = [] } = judged.get(id) ?? {};
    return { verdict: judgement, reason, evidence: evidence.map(evidenceOf) };
  };
  const observation = (item: { id: string; text: string }): Observation => {
    const finding = found(item);
    return { ...item, ...finding, verdict: observed[finding.verdict] };
  };
  const success_criteria = outcome_model.success_criteria.map((item) => ({
    ...item,
    ...found(item),
  }));
  const failure_modes = outcome_model.failure_modes.map(observation);
  const signals = outcome_model.signals.map(observation);
  const must = success_criteria.filter(({ weight }) => weight === 'must');
  const is_satisfied =
    must.every((one) => one.verdict === 'met') &&
    failure_modes.every((one) => one.verdict !== 'observed');
  return {
    ...verdict,
    result: is_satisfied ? 'satisfied' : 'needs_revision',
    findings: { success_criteria, failure_modes, signals, facts: story.facts },
    criteria: outcome_model.success_criteria.flatMap(({ id }) => judged.get(id) ?? []),
  };
}

function evidenceOf({ path, quote }: Judged['evidence'][number]): ReportEvidence {
  const quoted = quote === undefined ? {} : { quote };
  return path.startsWith(EVENT)
    ? { event_id: path.slice(EVENT.length), ...quoted }
    : { path, ...quoted };
}
