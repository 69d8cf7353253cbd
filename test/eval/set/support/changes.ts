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
    id: 'support-hotline-hours',
    between: 'memory_is_older',
    slots: { old: ['08:00 to 17:00', '08:30 to 17:30'], now: ['07:00 to 20:00', '09:00 to 21:00'] },
    path: '/facts/hotline.md',
    memory:
      'The hotline is open from {old}. On public holidays an answering machine takes the number.',
    old_scenes: [],
    now_scenes: [
      agent('I have written that the hotline is open from {old}.'),
      user(
        'The hotline is now open from {now}, no longer from {old}.',
        'Since this week the hotline is open from {now} instead of {old}.',
      ),
      agent('The text block is changed.'),
    ],
    old: fact(['{old}'], ['hotline'], 'The hotline is open from {old}'),
    now: fact(['{now}'], ['hotline'], 'The hotline is open from {now}'),
  },
  {
    id: 'support-repair-partner',
    between: 'memory_is_older',
    slots: { old: ['Reparo', 'Fixwell'], now: ['Servanto', 'Mendelin'] },
    path: '/facts/repair.md',
    memory:
      'Vacuum cleaners are repaired by {old}. The customer gets a label by mail and keeps the hose.',
    old_scenes: [],
    now_scenes: [
      agent('The label is for {old}.'),
      user(
        'Vacuum cleaners are now repaired by {now}, not by {old} any more.',
        'Our contract has changed: vacuum cleaners are repaired by {now} instead of {old}.',
      ),
      agent('New label, new address.'),
    ],
    old: fact(['{old}'], ['vacuum|repair'], 'Vacuum cleaners are repaired by {old}'),
    now: fact(['{now}'], ['vacuum|repair'], 'Vacuum cleaners are repaired by {now}'),
  },
  {
    id: 'support-sla',
    between: 'memory_is_newer',
    slots: { old: ['24 hours', '36 hours'], now: ['12 hours', '16 hours'] },
    path: '/facts/sla.md',
    memory: 'Tickets of dealers are answered within {now}. It stands in the new dealer contract.',
    old_scenes: [
      user(
        'Tickets of dealers must always be answered within {old}.',
        'Please keep to it: tickets of dealers have to be answered within {old}.',
      ),
      agent('All of them are.'),
    ],
    now_scenes: [],
    old: fact(['{old}'], ['dealer'], 'Tickets of dealers are answered within {old}'),
    now: fact(['{now}'], ['dealer'], 'Tickets of dealers are answered within {now}'),
  },
  {
    id: 'support-spare-shop',
    between: 'sessions',
    slots: {
      old: ['the blue catalogue', 'the printed catalogue'],
      now: ['the parts finder', 'the dealer portal'],
    },
    path: '',
    memory: '',
    old_scenes: [
      user(
        'Customers who want spare parts must always be pointed to {old}.',
        'For spare parts we always point customers to {old}.',
      ),
      agent('The drafts do.'),
    ],
    now_scenes: [
      user(
        'Customers who want spare parts must now be pointed to {now}, no longer to {old}.',
        'For spare parts we now point customers to {now} instead of {old}.',
      ),
      agent('The drafts are changed.'),
    ],
    old: fact(['{old}'], ['spare'], 'Customers who want spare parts are pointed to {old}'),
    now: fact(['{now}'], ['spare'], 'Customers who want spare parts are pointed to {now}'),
  },
];

export const one_offs: readonly OneOffCase[] = [
  {
    id: 'support-gesture-once',
    slots: { gift: ['a cookbook', 'a set of cups'] },
    scenes: [
      user(
        'For this customer only, add {gift}: she has been very patient.',
        'She has waited long, so just this once send her {gift} as well.',
      ),
      agent('Added for her.'),
    ],
    says: fact(['{gift}'], ['add|send|customer|patient'], 'Send {gift}'),
  },
  {
    id: 'support-login-once',
    slots: { host: ['sso-node-4', 'sso-node-8'] },
    scenes: [
      bashFails('tickets list', '502 Bad Gateway at {host}'),
      bash('tickets list', '44 tickets'),
      agent('{host} did not answer once; then the queue was there.'),
    ],
    says: fact(['{host}'], ['answer|again|gateway|retry'], '{host} does not answer'),
  },
  {
    id: 'support-snow-once',
    slots: { city: ['Innsbruck', 'Tromso'] },
    scenes: [
      user(
        'There is a snowstorm: only for today, tell customers in {city} that the visit is tomorrow.',
        'For today only, move the visits in {city} to tomorrow because of the snow.',
      ),
      agent('They have been told.'),
    ],
    says: fact(['{city}'], ['visit|tomorrow|snow'], 'Visits in {city} are moved to tomorrow'),
  },
];

export const known: readonly KnownCase[] = [
  {
    id: 'support-known-languages',
    slots: { pair: ['Dutch and French', 'Polish and German'] },
    path: '/facts/languages.md',
    memory:
      'Answers to customers in the border region are written in {pair}. The longer text comes second.',
    scenes: [
      agent('I have written one language.'),
      user('No, answers to customers in the border region are always written in {pair}.'),
      agent('The second one is added.'),
    ],
    says: fact(
      ['{pair}'],
      ['border'],
      'Answers to customers in the border region are written in {pair}',
    ),
  },
  {
    id: 'support-known-recall',
    slots: { batch: ['batch 26-B', 'batch 25-K'] },
    path: '/facts/recall.md',
    memory: 'Toasters of {batch} are exchanged without a question. The customer keeps the old one.',
    scenes: [
      agent('Shall I ask for the receipt?'),
      user('Of course not, toasters of {batch} are always exchanged without a question.'),
      agent('It is exchanged.'),
    ],
    says: fact(['{batch}'], ['toaster'], 'Toasters of {batch} are exchanged without a question'),
  },
];
