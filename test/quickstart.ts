import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({
  baseURL: process.env['REVERIE_BASE_URL'],
  apiKey: process.env['REVERIE_API_KEY'],
});

const environment = await client.beta.environments.create({
  name: 'quickstart',
  config: { type: 'cloud', networking: { type: 'limited' } },
});
const agent = await client.beta.agents.create({
  name: 'Analyst',
  model: 'claude-sonnet-5-5',
  system: 'You analyse data with your tools and write what you find to /mnt/session/outputs.',
  tools: [{ type: 'agent_toolset_20260401' }],
});
const session = await client.beta.sessions.create({
  agent: agent.id,
  environment_id: environment.id,
});

// Open the stream before the message is sent: nothing that happens is missed.
const stream = await client.beta.sessions.events.stream(session.id);
await client.beta.sessions.events.send(session.id, {
  events: [
    {
      type: 'user.message',
      content: [{ type: 'text', text: 'Write the first 20 prime numbers to primes.csv.' }],
    },
  ],
});

for await (const event of stream) {
  if (event.type === 'agent.tool_use') console.log(`→ ${event.name}`, event.input);
  if (event.type === 'agent.message') {
    for (const block of event.content) if (block.type === 'text') console.log(block.text);
  }
  if (event.type === 'session.status_idle' && event.stop_reason.type === 'end_turn') break;
}
