import type { Colour } from './event-line.ts';
import type { Learned, LearningStep } from './learn.ts';

/** A line for a person. */
export interface LearningLine {
  readonly text: string;
  readonly colour: Colour;
}

/** Of a playbook the diff is short; a person reads the rest in the store. */
const DIFF_LINES = 40;

/** What a step of the second part has to say. */
export function learningLines(step: LearningStep): LearningLine[] {
  switch (step.step) {
    case 'session':
      return [{ text: `A session on ${step.name} (${step.session_id})`, colour: 'bold' }];
    case 'dream':
      return dreamLines(step);
    case 'change':
      return changeLines(step);
    case 'uses':
      return step.uses.map(({ path, offered, read }) => {
        const was = offered === null ? 'found' : 'offered';
        const and = read === null ? 'not read' : `read by the call ${read.event_id}`;
        return { text: `${path} was ${was} and ${and}`, colour: 'green' };
      });
  }
}

function dreamLines({ report }: Extract<LearningStep, { step: 'dream' }>): LearningLine[] {
  const { session_ids, candidates_count, operations, dropped, cost_share, playbook_uses } = report;
  const share = cost_share === null ? '' : `, at ${Math.round(cost_share * 100)} % of their cost`;
  const sum = `${session_ids.length} sessions read, ${candidates_count} lessons found, ${operations.length} changes proposed, ${dropped.length} proposals dropped${share}`;
  const uses = playbook_uses.map(({ path, verdict, state }): LearningLine => {
    const said = verdict === null ? '' : `: ${verdict.outcome}`;
    return { text: `  ${path} was read${said}, ${state}`, colour: 'dim' };
  });
  return [{ text: `A dream (${report.dream_id}): ${sum}`, colour: 'bold' }, ...uses];
}

function changeLines({ change }: Extract<LearningStep, { step: 'change' }>): LearningLine[] {
  const { id, operation, state, edits, decided_by } = change;
  const shown = edits.flatMap(({ diff }) => diff.split('\n')).slice(0, DIFF_LINES);
  return [
    { text: `${id} ${operation.op}: ${operation.reason}`, colour: 'cyan' },
    ...operation.evidence.map(({ session_id, event_id, quote }): LearningLine => {
      const words = quote.replaceAll(/\s+/g, ' ').trim();
      return { text: `  evidence ${session_id} ${event_id}: “${words}”`, colour: 'dim' };
    }),
    ...shown.map((line): LearningLine => ({ text: `  ${line}`, colour: colourOf(line) })),
    { text: `  ${state} by ${decided_by ?? 'nobody'}, applied to the store`, colour: 'green' },
  ];
}

function colourOf(line: string): Colour {
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : 'dim';
}

/** What it came to, in one line. */
export function lastLine({ sessions, changes }: Learned): LearningLine {
  if (changes.length === 0) {
    return { text: 'The dream found nothing that the store needed.', colour: 'yellow' };
  }
  const results = sessions.map(({ results: all }) => all.join(', then '));
  const before = results.slice(0, -1).join('; ');
  return { text: `Before the dream: ${before}. After it: ${results.at(-1)}.`, colour: 'bold' };
}
