import { renderPlaybook, type PlaybookFacts } from '#shared/playbooks/playbook.ts';

/** A shared playbook that a dream has learned, with a quote that nobody else should read. */
export function aPlaybook(
  facts: Partial<PlaybookFacts> = {},
  body = '1. Open it with the encoding.\n',
) {
  return renderPlaybook({
    facts: {
      id: 'csv',
      title: 'Read the odd file',
      situation: 'A CSV file that is not UTF-8',
      scope: 'shared',
      learned_from: { agent_id: 'agent_1', agent_version: 1, model: 'claude-sonnet-5-5' },
      evidence: [{ session_id: 'sesn_1', event_id: 'sevt_1', quote: 'the client is called Ada' }],
      helpful: 3,
      harmful: 1,
      last_confirmed: '2026-11-20T00:00:00Z',
      ...facts,
    },
    body,
  });
}
