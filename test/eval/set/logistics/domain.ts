import type { Domain } from '../material.ts';
import { changes, known, one_offs } from './changes.ts';
import { lessons } from './lessons.ts';
import { apart, duplicates, profiles } from './store.ts';

/** Shipping of a spare parts trader. */
export const logistics: Domain = {
  name: 'logistics',
  agent_name: 'Dispatcher',
  work: {
    openings: [
      'Plan the pickups for tomorrow and book the carriers that are free, please.',
      'Check which shipments of this week are late and tell me why.',
      'Prepare the customs papers for the consignments in the export folder.',
      'Compare the freight bills of the last month with what we had booked.',
    ],
    closings: [
      'The plan is in /mnt/session/outputs/pickups.csv; two orders did not fit and stand at the end.',
      'All consignments are checked. What differs is in /mnt/session/outputs/differences.csv.',
    ],
    rubric: '- Every order has a carrier or a reason\n- Weights and pallets add up',
    columns: {
      shipment: ['SH-26-', 'EXP-9', 'LT/4', 'CN-00'],
      consignee: ['Aurora Marine', 'Bastion Rail', 'Corvus Air', 'Delta Agri'],
      kg: ['##.#', '###.#', '#,###.#'],
      state: ['planned', 'picked up', 'in transit', 'delivered', 'late'],
    },
    files: ['/mnt/session/uploads/shipments.csv', '/mnt/session/uploads/rates.csv'],
  },
  lessons,
  changes,
  one_offs,
  known,
  duplicates,
  apart,
  profiles,
};
