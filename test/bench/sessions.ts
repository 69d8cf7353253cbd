import type Anthropic from '@anthropic-ai/sdk';
import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions';

let made = 0;

export async function newAgent(client: Anthropic): Promise<string> {
  const { id } = await client.beta.agents.create({
    name: `bench ${(made += 1)}`,
    model: 'claude-sonnet-5-5',
    system: 'You are measured.',
    tools: [{ type: 'agent_toolset_20260401' }],
  });
  return id;
}

export async function newEnvironment(client: Anthropic): Promise<string> {
  const config = { type: 'cloud', networking: { type: 'limited' } } as const;
  const { id } = await client.beta.environments.create({ name: `bench ${(made += 1)}`, config });
  return id;
}

export async function newSession(
  client: Anthropic,
  agent: string,
  environment_id: string,
): Promise<string> {
  const { id } = await client.beta.sessions.create({ agent, environment_id });
  return id;
}

/** A session with its stream open, that takes one turn after the other. */
export class OpenSession {
  readonly id: string;
  readonly #client: Anthropic;
  readonly #events: AsyncIterator<BetaManagedAgentsStreamSessionEvents>;
  readonly #close: () => void;

  private constructor(
    client: Anthropic,
    id: string,
    events: AsyncIterator<BetaManagedAgentsStreamSessionEvents>,
    close: () => void,
  ) {
    this.#client = client;
    this.id = id;
    this.#events = events;
    this.#close = close;
  }

  static async open(client: Anthropic, agent: string, environment: string): Promise<OpenSession> {
    const id = await newSession(client, agent, environment);
    const stream = await client.beta.sessions.events.stream(id);
    const close = (): void => stream.controller.abort();
    return new OpenSession(client, id, stream[Symbol.asyncIterator](), close);
  }

  /**
   * Send a text and follow the turn to its idle.
   * @throws Error when the turn ends in any other way than `end_turn`.
   */
  async turn(text: string): Promise<Turn> {
    const started = performance.now();
    const since = (): number => performance.now() - started;
    const sent = this.#client.beta.sessions.events
      .send(this.id, { events: [{ type: 'user.message', content: [{ type: 'text', text }] }] })
      .then(since);
    let message_ms = Number.NaN;
    for (;;) {
      const { value: event, done } = await this.#events.next();
      if (done === true) throw new Error(`the stream of ${this.id} ended in a turn`);
      if (event.type === 'agent.message' && Number.isNaN(message_ms)) message_ms = since();
      if (event.type === 'session.error') throw new Error(event.error.message);
      if (event.type !== 'session.status_idle') continue;
      if (event.stop_reason.type !== 'end_turn') throw new Error(event.stop_reason.type);
      return { send_ms: await sent, message_ms, idle_ms: since() };
    }
  }

  close(): void {
    this.#close();
  }
}

export interface Turn {
  /** Until the request was answered. */
  readonly send_ms: number;
  /** Until the first `agent.message` on the open stream. */
  readonly message_ms: number;
  /** Until the session was idle. */
  readonly idle_ms: number;
}
