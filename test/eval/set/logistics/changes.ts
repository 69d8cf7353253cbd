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
    id: 'logistics-gate',
    between: 'memory_is_older',
    slots: { old: ['gate 3', 'gate 5'], now: ['gate 12', 'gate 14'] },
    path: '/sites/hamburg.md',
    memory:
      'Trucks for the Hamburg site report at {old}. The driver needs the booking number and a high-visibility vest.',
    old_scenes: [],
    now_scenes: [
      agent('I have put {old} on the driver sheet for Hamburg.'),
      user(
        'Trucks for the Hamburg site now report at {now}, no longer at {old}.',
        'Since the rebuild, trucks for the Hamburg site must report at {now} instead of {old}.',
      ),
      agent('The sheet is changed.'),
    ],
    old: fact(['{old}'], ['Hamburg'], 'Trucks for the Hamburg site report at {old}'),
    now: fact(['{now}'], ['Hamburg'], 'Trucks for the Hamburg site report at {now}'),
  },
  {
    id: 'logistics-express-carrier',
    between: 'memory_is_older',
    slots: { old: ['Swiftline', 'Arrowfreight'], now: ['Nordexpress', 'Bluedart Sea'] },
    path: '/processes/express.md',
    memory: 'Express parcels to Scandinavia go with {old}. They are labelled before noon.',
    old_scenes: [],
    now_scenes: [
      agent('Both express parcels to Scandinavia are with {old}.'),
      user(
        'We have left {old}: express parcels to Scandinavia now go with {now}.',
        'Express parcels to Scandinavia go with {now} now, not with {old} any more.',
      ),
      agent('Rebooked.'),
    ],
    old: fact(['{old}'], ['Scandinavia|express'], 'Express parcels to Scandinavia go with {old}'),
    now: fact(['{now}'], ['Scandinavia|express'], 'Express parcels to Scandinavia go with {now}'),
  },
  {
    id: 'logistics-insurance',
    between: 'memory_is_newer',
    slots: { old: ['25,000', '30,000'], now: ['40,000', '55,000'] },
    path: '/processes/insurance.md',
    memory:
      'Consignments worth more than {now} EUR need transport insurance. The policy was renewed with this sum.',
    old_scenes: [
      user(
        'Consignments worth more than {old} EUR always need transport insurance.',
        'Please note that above {old} EUR consignments must have transport insurance.',
      ),
      agent('Two of them are above it.'),
    ],
    now_scenes: [],
    old: fact(
      ['{old}'],
      ['insur'],
      'Consignments worth more than {old} EUR need transport insurance',
    ),
    now: fact(
      ['{now}'],
      ['insur'],
      'Consignments worth more than {now} EUR need transport insurance',
    ),
  },
  {
    id: 'logistics-returns-address',
    between: 'sessions',
    slots: { old: ['hall 4', 'hall 6'], now: ['hall 9', 'hall 11'] },
    path: '',
    memory: '',
    old_scenes: [
      user(
        'Returned goods always go to {old} for inspection.',
        'Returned goods must be sent to {old} for inspection.',
      ),
      agent('The labels say so.'),
    ],
    now_scenes: [
      user(
        'Returned goods now go to {now} for inspection instead of {old}.',
        'Inspection has moved: returned goods must now be sent to {now}, no longer to {old}.',
      ),
      agent('The labels are changed.'),
    ],
    old: fact(['{old}'], ['return'], 'Returned goods go to {old} for inspection'),
    now: fact(['{now}'], ['return'], 'Returned goods go to {now} for inspection'),
  },
];

export const one_offs: readonly OneOffCase[] = [
  {
    id: 'logistics-detour-once',
    slots: { road: ['the A7 via Neumark', 'the coast road via Lund'] },
    scenes: [
      user(
        'Only today, send the truck over {road}; there is an accident.',
        'There is an accident, so for this trip only take {road}.',
      ),
      agent('The driver knows.'),
    ],
    says: fact(['{road}'], ['truck|trip|driver|take|send'], 'Send the truck over {road}'),
  },
  {
    id: 'logistics-timeout-once',
    slots: { host: ['rates-gw-2', 'rates-gw-5'] },
    scenes: [
      bashFails('curl -s "$API/rates"', 'curl: (28) Operation timed out after 30001 ms at {host}'),
      bash('curl -s "$API/rates"', '{"rates":118}'),
      agent('{host} was slow for a moment; the second request came through.'),
    ],
    says: fact(['{host}'], ['slow|time|again|second|retry'], 'Requests to {host} time out'),
  },
  {
    id: 'logistics-samples-once',
    slots: { box: ['a blue crate', 'a wooden box'] },
    scenes: [
      user(
        'This time please pack the samples for the fair into {box}, just because it looks nice.',
        'For the fair, and just this once: the samples go into {box}.',
      ),
      agent('Packed.'),
    ],
    says: fact(['{box}'], ['sample'], 'Pack the samples into {box}'),
  },
];

export const known: readonly KnownCase[] = [
  {
    id: 'logistics-known-seal',
    slots: { colour: ['yellow', 'orange'] },
    path: '/processes/seals.md',
    memory:
      'Containers for sea freight are closed with a {colour} seal. Its number stands in the bill of lading.',
    scenes: [
      agent('Which seal do I note?'),
      user('As ever, containers for sea freight are always closed with a {colour} seal.'),
      agent('Noted.'),
    ],
    says: fact(
      ['{colour} seal'],
      ['container'],
      'Containers for sea freight are closed with a {colour} seal',
    ),
  },
  {
    id: 'logistics-known-dangerous',
    slots: { klass: ['class 3', 'class 9'] },
    path: '/processes/dangerous-goods.md',
    memory: 'Goods of {klass} travel without passengers and need the signed declaration on board.',
    scenes: [
      agent('This one could go with the shuttle.'),
      user('No, goods of {klass} always travel without passengers.'),
      agent('Then it goes by truck.'),
    ],
    says: fact(['{klass}'], ['passenger'], 'Goods of {klass} travel without passengers'),
  },
];
