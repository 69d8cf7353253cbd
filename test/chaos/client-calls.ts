import type { SessionCreateParams } from '@anthropic-ai/sdk/resources/beta/sessions/sessions';
import type { Event, SendEvents } from '../rig.ts';
import { everyOf, type PatientClient } from './patient-client.ts';
import type { Scene, Story } from './scene.ts';

/** A session as its story says. @returns its id */
export async function openSession(
  patient: PatientClient,
  scene: Scene,
  { n, agent, store_id, budget }: Story,
): Promise<string> {
  const params: SessionCreateParams = {
    agent: scene.agents[agent],
    environment_id: scene.environment_id,
    title: `chaos ${n}`,
    ...(store_id === undefined
      ? {}
      : { resources: [{ type: 'memory_store', memory_store_id: store_id }] }),
    ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
  };
  const created = await patient.do(async (client, once) =>
    client.beta.sessions.create(params, once),
  );
  return created.id;
}

/** A limit in cents. */
export const budgetOf = (amount: string) => ({
  type: 'limit' as const,
  max_list_cost: { amount, currency: 'USD' as const },
});

/** What answers a call that waits for its user, or for its user's program. */
export function answerTo({ id, type }: Event, result: 'allow' | 'deny'): SendEvents[number] {
  if (type === 'agent.custom_tool_use') {
    const content = [{ type: 'text' as const, text: 'It is 42.' }];
    return { type: 'user.custom_tool_result', custom_tool_use_id: id, content };
  }
  return { type: 'user.tool_confirmation', tool_use_id: id, result };
}

/** The call that an event answers, if it answers one. */
export function answeredBy(event: Event): string | undefined {
  if (event.type === 'user.custom_tool_result') return event.custom_tool_use_id;
  const is_answer = event.type === 'user.tool_confirmation' || event.type === 'agent.tool_result';
  return is_answer ? event.tool_use_id : undefined;
}

/** The whole log of a session, or of one of its threads, in order. */
export async function listAll(
  patient: PatientClient,
  session_id: string,
  thread_id?: string,
): Promise<Event[]> {
  return await everyOf(async (page) => {
    const query = { limit: 1_000, ...page };
    const got = await patient.do(async (client) =>
      thread_id === undefined
        ? client.beta.sessions.events.list(session_id, query)
        : client.beta.sessions.threads.events.list(thread_id, { session_id, ...query }),
    );
    return { data: got.data as Event[], next_page: got.next_page };
  });
}
