import type { Domain } from '../material.ts';
import { changes, known, one_offs } from './changes.ts';
import { lessons } from './lessons.ts';
import { apart, duplicates, profiles } from './store.ts';

/** Accounts payable of a machine builder. */
export const invoices: Domain = {
  name: 'invoices',
  agent_name: 'Clerk',
  work: {
    openings: [
      'Please book the supplier invoices that came in this week and list what cannot be booked.',
      'Match the open purchase orders against the invoices in the inbox folder, please.',
      'Prepare the payment proposal for the next run and tell me what is blocked.',
      'Go through the reminders we have received and check them against the open items.',
    ],
    closings: [
      'Done. The list is in /mnt/session/outputs/booked.csv; three items are left for you to decide.',
      'Finished: all documents are matched and the differences are in /mnt/session/outputs/differences.md.',
    ],
    rubric: '- Every document is booked or listed with a reason\n- Totals agree with the inbox',
    columns: {
      document: ['RE-2026-', 'INV-88', 'F-0', 'BL/26/'],
      supplier: ['Okonjo Castings', 'Valtari Pumps', 'Delmas Optique', 'Brightwell Seals'],
      net: ['#,###.##', '###.##', '##,###.##'],
      status: ['open', 'matched', 'blocked', 'paid'],
    },
    files: ['/mnt/session/uploads/inbox.csv', '/mnt/session/uploads/open-items.csv'],
  },
  lessons,
  changes,
  one_offs,
  known,
  duplicates,
  apart,
  profiles,
};
