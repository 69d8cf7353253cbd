/** Families by what they can do, the least first. */
const FAMILIES = ['haiku', 'sonnet', 'opus', 'fable'];

/** `claude-opus-5-5`, with or without a date: its family and its version. */
const MODEL = /^claude-(haiku|sonnet|opus|fable|mythos)-(\d+)(?:-(\d))?(?:-\d{8})?$/;

/**
 * Whether a model may advise another: it must be at least as capable. That is its family's rank, and
 * within a family its version. A model that neither of them tells is let through: an operator may
 * name models that came after this was written.
 */
export function mayAdvise(advisor_id: string, executor_id: string): boolean {
  if (advisor_id === executor_id) return true;
  const [advisor, executor] = [rankOf(advisor_id), rankOf(executor_id)];
  if (advisor === undefined || executor === undefined) return true;
  return advisor.family === executor.family
    ? advisor.version >= executor.version
    : advisor.family > executor.family;
}

/**
 * Whether a client is shown a placeholder instead of what an advisor says; the agent always reads it.
 * Source: the documentation of the advisor: Opus 5, Fable 5 and Mythos 5.
 */
export function isRedacted(advisor_id: string): boolean {
  const rank = rankOf(advisor_id);
  return rank !== undefined && rank.family >= FAMILIES.indexOf('opus') && rank.version >= 50;
}

function rankOf(id: string): { family: number; version: number } | undefined {
  const [, family, major, minor = '0'] = MODEL.exec(id) ?? [];
  if (family === undefined) return undefined;
  // Mythos is Fable without its safety classifiers.
  const named = family === 'mythos' ? 'fable' : family;
  return { family: FAMILIES.indexOf(named), version: Number(major) * 10 + Number(minor) };
}
