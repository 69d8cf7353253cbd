import { parseArgs } from 'node:util';
import { dreamed } from '../functions/dream/dreamer.ts';
import { DREAM_LATENCY_MS } from './dream-latency.ts';
import { firstText, lastResults, startModel } from './model.ts';
import type { MessagesRequest } from '../../infra/local/offline-model/server.ts';
import { call, say, slowly, stall, type Reply } from './replies.ts';
import { teamReply } from './team.ts';
import { toolsReply } from './tools-reply.ts';

/**
 * The scripted model on its own, with no latency: what the bench runs in a process of its own.
 * A first message with `rounds=20` gets twenty tool calls before the answer; any other is answered at once.
 * A message with `tools=3` gets three calls in one reply, and then its answer, each time.
 * A grader reads the first file of those rounds and finds it wanting. A dream waits a second for each answer.
 * A message with `minute` is answered word by word for about a minute.
 * A coordinator that is told `threads=25 items=100` has so many agents work, a second for a request.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } },
});
if (values.help) {
  console.log(
    'npx node test/model/main.ts [--port N]\n\nServes the Messages API and prints {"url":"…"}.',
  );
} else {
  const model = await startModel({ port: Number(values.port), forget: true });
  model.otherwise((request) => {
    const { body } = request;
    const answered = dreamed(request);
    if (answered !== undefined) return stall(DREAM_LATENCY_MS, answered);
    if (isGrader(body)) return graded(body);
    const team = teamReply(body);
    if (team !== undefined) return team;
    const tools = toolsReply(body);
    if (tools !== undefined) return tools;
    if (firstText(body).includes('minute')) return slowly(500, say('word '.repeat(116)), 5);
    const rounds = Number(/rounds=(\d+)/.exec(firstText(body))?.[1] ?? 0);
    const done = body.messages.filter(({ role }) => role === 'assistant').length;
    if (done >= rounds) return say(lastResults(body).length > 0 ? 'All rounds are done.' : 'Done.');
    return call('write', { file_path: `/tmp/round-${done}.txt`, content: `round ${done}` });
  });
  console.log(JSON.stringify({ url: model.url }));
  for (const end of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
    process.once(end, () => void model.close().then(() => process.exit(0)));
  }
}

type Body = MessagesRequest['body'];

function isGrader({ tools = [] }: Body): boolean {
  return tools.some((tool) => 'name' in tool && tool.name === 'submit_verdict');
}

function graded({ messages }: Body): Reply {
  const has_read = messages.some(({ role }) => role === 'assistant');
  if (!has_read) return call('read', { path: '/tmp/round-0.txt' });
  const reason = 'It is never good enough.';
  return call('submit_verdict', {
    criteria: [{ id: 'c1', verdict: 'not_met', reason, evidence: [] }],
  });
}
