import type { Domain } from '../material.ts';
import { changes, known, one_offs } from './changes.ts';
import { lessons } from './lessons.ts';
import { apart, duplicates, profiles } from './store.ts';

/** Reporting of an online retailer. */
export const analysis: Domain = {
  name: 'analysis',
  agent_name: 'Analyst',
  work: {
    openings: [
      'Work out what drove the change in revenue between the last two weeks.',
      'Build the weekly report from the attached extracts, with a chart for each region.',
      'Find out why the conversion in the app differs from that in the shop.',
      'Check the new extract against the old one and list the columns that do not agree.',
    ],
    closings: [
      'The report is in /mnt/session/outputs/report.md, with the numbers behind each chart.',
      'I have written the findings to /mnt/session/outputs/findings.md; the tables are beside it.',
    ],
    rubric: '- Every number can be traced to a file\n- Charts have units and a source',
    columns: {
      day: ['2026-09-#', '2026-10-0', '2026-10-1', '2026-08-2'],
      region: ['north', 'south', 'coast', 'islands'],
      orders: ['###', '#,###'],
      revenue: ['##,###.##', '#,###.##'],
    },
    files: ['/mnt/session/uploads/orders.csv', '/mnt/session/uploads/visits.csv'],
  },
  lessons,
  changes,
  one_offs,
  known,
  duplicates,
  apart,
  profiles,
};
