import {
  agent,
  bash,
  bashFails,
  fact,
  user,
  type ChangeCase,
  type OneOffCase,
  type KnownCase,
} from '../material.ts';

export const changes: readonly ChangeCase[] = [
  {
    id: 'invoice-inbox-folder',
    between: 'memory_is_older',
    slots: { old: ['/inbox/scan', '/inbox/post'], now: ['/inbox/ocr-2', '/inbox/reading'] },
    path: '/processes/scanned-invoices.md',
    memory:
      'Scanned invoices arrive in {old}. They are read every hour, and what cannot be read is renamed to .bad.',
    old_scenes: [],
    now_scenes: [
      agent('There is nothing new in {old}.'),
      user(
        'Scanned invoices no longer arrive in {old}: since Monday they arrive in {now}.',
        'That has changed. Scanned invoices now arrive in {now} instead of {old}.',
      ),
      agent('I found them.'),
    ],
    old: fact(['{old}'], ['scan|arrive'], 'Scanned invoices arrive in {old}'),
    now: fact(['{now}'], ['scan|arrive'], 'Scanned invoices arrive in {now}'),
  },
  {
    id: 'invoice-tolerance',
    between: 'memory_is_older',
    slots: { old: ['1.5', '2.5'], now: ['0.5', '0.8'] },
    path: '/processes/price-tolerance.md',
    memory:
      'Price differences of up to {old} percent against the purchase order are accepted without a question to purchasing.',
    old_scenes: [],
    now_scenes: [
      agent('Six differences are within the tolerance of {old} percent.'),
      user(
        'The tolerance for price differences against the purchase order is now {now} percent, not {old} any more.',
        'Careful, that changed this month: price differences against the purchase order are accepted only up to {now} percent instead of {old}.',
      ),
      agent('Then four of them go to purchasing.'),
    ],
    old: fact(
      ['{old} percent|{old} %|{old}%'],
      ['price|tolerance'],
      'Price differences of up to {old} percent are accepted',
    ),
    now: fact(
      ['{now} percent|{now} %|{now}%'],
      ['price|tolerance'],
      'Price differences of up to {now} percent are accepted',
    ),
  },
  {
    id: 'invoice-archive-years',
    between: 'memory_is_newer',
    slots: { old: ['8', '9'], now: ['10', '11'] },
    path: '/processes/archive.md',
    memory:
      'Booked invoices are kept in the archive for {now} years. The auditors confirmed it in writing.',
    old_scenes: [
      user(
        'Booked invoices must be kept in the archive for {old} years.',
        'For the label: booked invoices are always kept in the archive for {old} years.',
      ),
      agent('I have labelled the archive so.'),
    ],
    now_scenes: [],
    old: fact(
      ['{old} years'],
      ['archive'],
      'Booked invoices are kept in the archive for {old} years',
    ),
    now: fact(
      ['{now} years'],
      ['archive'],
      'Booked invoices are kept in the archive for {now} years',
    ),
  },
  {
    id: 'invoice-reminder-owner',
    between: 'sessions',
    slots: { old: ['Pereira', 'Kowalski'], now: ['Demir', 'Lindqvist'] },
    path: '',
    memory: '',
    old_scenes: [
      user(
        'Reminders from suppliers always go to {old} in treasury.',
        'Please note: reminders from suppliers must go to {old} in treasury.',
      ),
      agent('Forwarded.'),
    ],
    now_scenes: [
      user(
        'Reminders from suppliers now go to {now} in treasury instead of {old}, who has left.',
        '{old} has left: reminders from suppliers must now go to {now} in treasury.',
      ),
      agent('Noted, forwarded.'),
    ],
    old: fact(['{old}'], ['reminder'], 'Reminders from suppliers go to {old} in treasury'),
    now: fact(['{now}'], ['reminder'], 'Reminders from suppliers go to {now} in treasury'),
  },
];

export const one_offs: readonly OneOffCase[] = [
  {
    id: 'invoice-hold-once',
    slots: { vendor: ['Grunewald', 'Moreau'] },
    scenes: [
      user(
        'Just this once, leave the invoice of {vendor} out of the run; I am on the phone with them.',
        'Only for today: hold back the invoice of {vendor}, I am talking to them right now.',
      ),
      agent('It is left out of this run.'),
    ],
    says: fact(
      ['{vendor}'],
      ['hold|leave|held|left out|out of the run'],
      'Leave the invoice of {vendor} out of the run',
    ),
  },
  {
    id: 'invoice-server-hiccup',
    slots: { host: ['erp-app-3', 'erp-app-7'] },
    scenes: [
      bashFails('erpctl post batch.json', '503 Service Unavailable from {host}, try again'),
      bash('erpctl post batch.json', 'posted 31 documents'),
      agent('The first attempt met a short outage of {host}; the second went through.'),
    ],
    says: fact(
      ['{host}'],
      ['outage|503|again|retry|attempt'],
      'Posting to {host} has to be tried again',
    ),
  },
  {
    id: 'invoice-colour-once',
    slots: { colour: ['magenta', 'turquoise'] },
    scenes: [
      user(
        'For this one presentation only, mark the blocked items in {colour}, please.',
        'Mark the blocked items in {colour} this time, it is for a slide.',
      ),
      agent('Marked.'),
    ],
    says: fact(['{colour}'], ['mark|blocked|colour|color'], 'Mark blocked items in {colour}'),
  },
];

export const known: readonly KnownCase[] = [
  {
    id: 'invoice-known-po',
    slots: { prefix: ['PO-45', 'BE-77'] },
    path: '/processes/purchase-orders.md',
    memory:
      'Every purchase order number begins with {prefix}. An invoice without one goes back to the supplier.',
    scenes: [
      agent('One invoice has no number.'),
      user('As always: every purchase order number begins with {prefix}.'),
      agent('Then it goes back.'),
    ],
    says: fact(
      ['{prefix}'],
      ['purchase order'],
      'Every purchase order number begins with {prefix}',
    ),
  },
  {
    id: 'invoice-known-closing',
    slots: { day: ['third', 'fourth'] },
    path: '/processes/month-end.md',
    memory:
      'The month is closed on the {day} working day at noon. Later documents are booked into the next period.',
    scenes: [
      agent('I can still book these.'),
      user('Remember, the month is always closed on the {day} working day at noon.'),
      agent('They go into the next period.'),
    ],
    says: fact(
      ['{day} working day'],
      ['clos'],
      'The month is closed on the {day} working day at noon',
    ),
  },
];
