import type Anthropic from '@anthropic-ai/sdk';
import type {
  BetaManagedAgentsSession,
  BetaManagedAgentsStreamSessionEvents,
} from '@anthropic-ai/sdk/resources/beta/sessions';
import type { Input } from './inputs.ts';

export interface Work {
  readonly client: Anthropic;
  readonly inputs: readonly Input[];
  readonly task: string;
  /** Markdown: what a grader judges the deliverables by. */
  readonly rubric: string;
  readonly model: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: BetaManagedAgentsStreamSessionEvents) => void;
}

const SYSTEM = `You are a careful data analyst. Compute with your tools; never guess a number.
The input files stand in the first message as documents, each with its name as title. Save what you
need of them under /mnt/session/uploads with the write tool before you compute with bash.
Write the deliverable with the write tool to /mnt/session/outputs.`;

const FILES = 'These are the input files.';

export const defaultTask = `Read the attached records and write a short report for a newspaper's
science desk to /mnt/session/outputs/report.md: what each file holds, the most important trend in
each with its numbers, and one table. Say what the data cannot tell.`;

export const defaultRubric = `- The report says what the files hold, by the name of each.
- It says what changed most in each file, with numbers.
- One table has first, last, min, max and mean of all series.
- It says what the data cannot tell.
- It has a section "Sources" that lists each file with its number of rows.`;

/** For a task that somebody else sets. */
export const generalRubric = `- Everything that the task asks for is done.
- Each number comes from the files or is computed from them.
- It has a section "Sources" that lists the files that it rests on.`;

/** One session from agent to idle, through the official SDK and nothing else. */
export async function work(job: Work): Promise<BetaManagedAgentsSession> {
  const { client, signal } = job;
  const agent = await client.beta.agents.create({
    name: 'Data analyst',
    model: job.model,
    system: SYSTEM,
    tools: [{ type: 'agent_toolset_20260401' }],
  });
  const environment = await client.beta.environments.create({
    name: `demo-${Date.now()}`,
    config: { type: 'cloud', networking: { type: 'limited' } },
  });
  const { id } = await client.beta.sessions.create({
    agent: agent.id,
    environment_id: environment.id,
    title: 'Demo',
  });
  const stream = await client.beta.sessions.events.stream(id, {}, { signal });
  await client.beta.sessions.events.send(id, {
    events: [
      { type: 'user.message', content: [...documents(job), { type: 'text', text: FILES }] },
      {
        type: 'user.define_outcome',
        description: job.task,
        rubric: { type: 'text', content: job.rubric },
      },
    ],
  });
  for await (const event of stream) {
    job.onEvent(event);
    if (isEnd(event)) break;
  }
  return await client.beta.sessions.retrieve(id);
}

/** Until there is a Files API the message carries the files, as the API's own document blocks. */
function documents({ inputs }: Work): {
  type: 'document';
  title: string;
  source: { type: 'text'; media_type: 'text/plain'; data: string };
}[] {
  return inputs.map(({ name, text }) => ({
    type: 'document',
    title: name,
    source: { type: 'text', media_type: 'text/plain', data: text },
  }));
}

/** Nobody answers questions in a demo: any idle is the end, and so is a termination. */
export function isEnd(event: BetaManagedAgentsStreamSessionEvents): boolean {
  return event.type === 'session.status_idle' || event.type === 'session.status_terminated';
}
