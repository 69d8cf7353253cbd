import { toFile } from '@anthropic-ai/sdk';
import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsSession } from '@anthropic-ai/sdk/resources/beta/sessions';
import { ReverieClient } from '#shared/client/reverie-client.ts';
import type { ThreadTrace } from '#shared/traces/trace-wire.ts';
import { isEnd, type Work } from './work.ts';

const LEAD = `You are a team lead. The input files are below /mnt/session/uploads. Give each to a specialist
of its own with start_agent, all at once, and wait for their reports by ending your turn. Then read
the parts that they wrote and join them into /mnt/session/outputs/report.md with the write tool.`;

const SPECIALIST = `You are a data specialist. You work on the one file that you are told. Compute with your
tools; never guess a number. Write your part to /workspace/parts, under the name of the file with
.md behind it, and answer with what you found in a few sentences.`;

/** One session of a coordinator with a specialist for each file, through the official SDK. */
export async function teamWork(job: Work): Promise<BetaManagedAgentsSession> {
  const { client, model, signal } = job;
  const tools = [{ type: 'agent_toolset_20260401' as const }];
  const specialist = await client.beta.agents.create({
    name: 'Data specialist',
    description: 'Describes one file of data with numbers that it has computed.',
    model,
    system: SPECIALIST,
    tools,
  });
  const lead = await client.beta.agents.create({
    name: 'Team lead',
    model,
    system: LEAD,
    tools,
    multiagent: {
      type: 'multiagent_20261001',
      subagents: {
        type: 'enabled',
        inline_agents: { type: 'disabled' },
        predefined_agents: [specialist.id],
      },
    },
  });
  const environment = await client.beta.environments.create({
    name: `demo-${Date.now()}`,
    config: { type: 'cloud', networking: { type: 'limited' } },
  });
  const { id } = await client.beta.sessions.create({
    agent: lead.id,
    environment_id: environment.id,
    title: 'Demo of a team',
    resources: await uploaded(client, job),
  });
  const stream = await client.beta.sessions.events.stream(id, {}, { signal });
  await client.beta.sessions.events.send(id, {
    events: [{ type: 'user.message', content: [{ type: 'text', text: job.task }] }],
  });
  for await (const event of stream) {
    job.onEvent(event);
    if (isEnd(event)) break;
  }
  return await client.beta.sessions.retrieve(id);
}

async function uploaded(client: Anthropic, { inputs }: Work) {
  return await Promise.all(
    inputs.map(async ({ name, text }) => {
      const file = await client.beta.files.upload({ file: await toFile(Buffer.from(text), name) });
      const mount_path = `/mnt/session/uploads/${name}`;
      return { type: 'file' as const, file_id: file.id, mount_path };
    }),
  );
}

/** Who did what, a line for each thread. */
export async function teamLines(client: Anthropic, session_id: string): Promise<string[]> {
  const { threads } = await new ReverieClient(client).sessions.trace(session_id);
  return threads.map(threadLine);
}

function threadLine(thread: ThreadTrace): string {
  const { parent_thread_id, agent_name, thread_id, model_requests_count, usage } = thread;
  const tools = thread.tools.map(({ name, calls_count }) => `${name} ${calls_count}`).join(', ');
  const files = thread.files.map(({ path }) => path).join(', ');
  const facts = [
    `${model_requests_count} model requests`,
    `${(usage.input_tokens ?? 0) + (usage.output_tokens ?? 0)} tokens`,
    ...(tools === '' ? [] : [tools]),
    ...(files === '' ? [] : [`wrote ${files}`]),
  ];
  return `${parent_thread_id === null ? '' : '  └ '}${agent_name} (…${thread_id.slice(-6)}): ${facts.join('; ')}`;
}
