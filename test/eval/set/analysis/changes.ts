import {
  agent,
  bash,
  bashFails,
  fact,
  user,
  type ChangeCase,
  type KnownCase,
  type OneOffCase,
} from '../material.ts';

export const changes: readonly ChangeCase[] = [
  {
    id: 'analysis-definition-active',
    between: 'memory_is_older',
    slots: { old: ['30 days', '45 days'], now: ['90 days', '120 days'] },
    path: '/definitions/active-customer.md',
    memory:
      'A customer counts as active who has ordered within {old}. Vouchers alone are no order.',
    old_scenes: [],
    now_scenes: [
      agent('Active customers, with orders within {old}: 18,220.'),
      user(
        'A customer now counts as active who has ordered within {now} instead of {old}.',
        'We have changed that: a customer counts as active within {now}, no longer within {old}.',
      ),
      agent('Then it is 31,705.'),
    ],
    old: fact(['{old}'], ['active'], 'A customer counts as active who has ordered within {old}'),
    now: fact(['{now}'], ['active'], 'A customer counts as active who has ordered within {now}'),
  },
  {
    id: 'analysis-target-bucket',
    between: 'memory_is_older',
    slots: { old: ['rep-archive-01', 'rep-archive-02'], now: ['rep-lake-07', 'rep-lake-09'] },
    path: '/processes/publishing.md',
    memory:
      'Finished reports are published to the bucket {old}. The file name begins with the calendar week.',
    old_scenes: [],
    now_scenes: [
      agent('It is published to {old}.'),
      user(
        'Finished reports are now published to the bucket {now}, not to {old} any more.',
        '{old} is read-only since Friday: finished reports must now be published to the bucket {now}.',
      ),
      agent('Published again.'),
    ],
    old: fact(['{old}'], ['publish|bucket'], 'Finished reports are published to the bucket {old}'),
    now: fact(['{now}'], ['publish|bucket'], 'Finished reports are published to the bucket {now}'),
  },
  {
    id: 'analysis-confidence',
    between: 'memory_is_newer',
    slots: { old: ['90 percent', '92 percent'], now: ['95 percent', '99 percent'] },
    path: '/definitions/significance.md',
    memory:
      'Differences between variants are reported at a confidence of {now}. The steering group decided it.',
    old_scenes: [
      user(
        'Differences between variants are always reported at a confidence of {old}.',
        'Please report differences between variants at a confidence of {old}, always.',
      ),
      agent('The table says so.'),
    ],
    now_scenes: [],
    old: fact(['{old}'], ['confidence'], 'Differences are reported at a confidence of {old}'),
    now: fact(['{now}'], ['confidence'], 'Differences are reported at a confidence of {now}'),
  },
  {
    id: 'analysis-report-day',
    between: 'sessions',
    slots: {
      old: ['Monday at nine', 'Tuesday at nine'],
      now: ['Thursday at eight', 'Friday at eight'],
    },
    path: '',
    memory: '',
    old_scenes: [
      user(
        'The weekly report must always be ready on {old}.',
        'Please note that the weekly report has to be ready on {old}, always.',
      ),
      agent('It will be.'),
    ],
    now_scenes: [
      user(
        'The weekly report must now be ready on {now} instead of {old}.',
        'The meeting has moved: the weekly report must be ready on {now} now, no longer on {old}.',
      ),
      agent('I have moved the schedule.'),
    ],
    old: fact(['{old}'], ['report'], 'The weekly report must be ready on {old}'),
    now: fact(['{now}'], ['report'], 'The weekly report must be ready on {now}'),
  },
];

export const one_offs: readonly OneOffCase[] = [
  {
    id: 'analysis-outlier-once',
    slots: { store: ['store 4417', 'store 5093'] },
    scenes: [
      user(
        'For this analysis only, leave out {store}: it was flooded that week.',
        'Just this time, ignore {store}, it was closed because of the flood.',
      ),
      agent('It is left out here.'),
    ],
    says: fact(['{store}'], ['leave|left|ignore|without|flood'], 'Leave out {store}'),
  },
  {
    id: 'analysis-kernel-once',
    slots: { node: ['worker-a19', 'worker-c07'] },
    scenes: [
      bashFails('python3 report.py', 'Connection to {node} lost, kernel died, restarting'),
      bash('python3 report.py', 'report written'),
      agent('The kernel on {node} had died once; it ran through the second time.'),
    ],
    says: fact(['{node}'], ['kernel|restart|again|second'], 'The kernel on {node} dies'),
  },
  {
    id: 'analysis-joke-once',
    slots: { title: ['Winter is coming', 'The socks strike back'] },
    scenes: [
      user(
        'For the party tonight, and only for that, call the report "{title}".',
        'Give it the title "{title}" just this once, please.',
      ),
      agent('Renamed for tonight.'),
    ],
    says: fact(['{title}'], ['title|call|name|report'], 'Call the report "{title}"'),
  },
];

export const known: readonly KnownCase[] = [
  {
    id: 'analysis-known-currency',
    slots: { currency: ['Swiss francs', 'Danish crowns'] },
    path: '/definitions/currency.md',
    memory:
      'All amounts in the islands extract are in {currency}. They are converted with the monthly mean.',
    scenes: [
      agent('The islands look too expensive.'),
      user('Well, all amounts in the islands extract are always in {currency}.'),
      agent('Converted.'),
    ],
    says: fact(['{currency}'], ['islands'], 'All amounts in the islands extract are in {currency}'),
  },
  {
    id: 'analysis-known-median',
    slots: { measure: ['median', 'trimmed mean'] },
    path: '/definitions/basket.md',
    memory:
      'The size of a basket is reported as a {measure}. Business customers are a line of their own.',
    scenes: [
      agent('I took the arithmetic mean.'),
      user('No, the size of a basket is always reported as a {measure}.'),
      agent('Changed.'),
    ],
    says: fact(['{measure}'], ['basket'], 'The size of a basket is reported as a {measure}'),
  },
];
