import type { Domain } from '../material.ts';
import { changes, known, one_offs } from './changes.ts';
import { lessons } from './lessons.ts';
import { apart, duplicates, profiles } from './store.ts';

/** Customer support of a household appliance maker. */
export const support: Domain = {
  name: 'support',
  agent_name: 'Agent',
  work: {
    openings: [
      'Answer the tickets in the morning queue, oldest first.',
      'Sort the new tickets by product and draft answers for those that need no engineer.',
      'Summarise what customers complain about this week and propose text blocks.',
      'Work through the tickets that were reopened yesterday.',
    ],
    closings: [
      'All tickets of the queue have a draft; the summary is in /mnt/session/outputs/summary.md.',
      'Done: the drafts are attached to their tickets and the rest is listed with a reason.',
    ],
    rubric:
      '- Every ticket has an answer or a reason\n- No promise is made that nobody has confirmed',
    columns: {
      ticket: ['T-771', 'T-880', 'T-902'],
      product: ['kettle', 'mixer', 'vacuum', 'toaster'],
      age_h: ['#', '##'],
      state: ['new', 'open', 'waiting', 'reopened'],
    },
    files: ['/mnt/session/uploads/queue.csv', '/mnt/session/uploads/blocks.md'],
  },
  lessons,
  changes,
  one_offs,
  known,
  duplicates,
  apart,
  profiles,
};
