import {
  agent,
  bash,
  bashFails,
  denied,
  fact,
  graded,
  interrupt,
  reads,
  user,
  type LessonCase,
} from '../material.ts';

export const lessons: readonly LessonCase[] = [
  {
    id: 'logistics-page-size',
    from: 'mistake',
    times: 3,
    slots: { carrier: ['Trackly', 'Portside', 'Velocargo'], most: ['40', '60', '75'] },
    scenes: [
      bashFails(
        'curl -s "$API/{carrier}/shipments?page_size=500"',
        'HTTP 413: page_size must not be larger than {most}',
        '413 Payload Too Large {"error":"page_size exceeds {most}"}',
      ),
      agent(
        'The tracking API of {carrier} must be asked with page_size={most} at most; larger pages are refused.',
        'With {carrier} a page may hold {most} shipments at most, so it has to be asked with page_size={most}.',
      ),
      bash('curl -s "$API/{carrier}/shipments?page_size={most}"', '{"count":{most},"next":"b2"}'),
    ],
    says: fact(['{carrier}', '{most}'], ['page'], 'Ask {carrier} with page_size={most} at most'),
  },
  {
    id: 'logistics-leading-zero',
    from: 'mistake',
    times: 2,
    slots: { column: ['sscc', 'ean_outer', 'pallet_id'] },
    scenes: [
      bashFails(
        'python3 match.py labels.csv',
        "KeyError: '340123450000000018' not found among {column} values (read as int64)",
      ),
      agent(
        'The column {column} must be read as text, because as a number it loses its leading zeros.',
        '{column} has leading zeros and has to be read as text, never as a number.',
      ),
      bash('python3 match.py labels.csv --text {column}', 'matched 614 of 614'),
    ],
    says: fact(
      ['{column}', 'text|str|string'],
      ['zero|number'],
      'Read the column {column} as text because of leading zeros',
    ),
  },
  {
    id: 'logistics-weight-unit',
    from: 'correction',
    times: 2,
    slots: { system: ['Packwerk', 'Stowage Pro', 'Binmaster'], unit: ['grams', 'ounces'] },
    scenes: [
      agent('The heaviest parcel weighs 18,400 kg according to {system}.'),
      user(
        'That cannot be: weights in {system} are always in {unit}, not in kilograms.',
        'No, {system} writes weights in {unit}; you must convert them, they are not kilograms.',
      ),
      agent('I have converted them.'),
    ],
    says: fact(
      ['{system}', '{unit}'],
      ['weight'],
      'Weights in {system} are in {unit}, not in kilograms',
    ),
  },
  {
    id: 'logistics-cut-off',
    from: 'fact',
    times: 2,
    slots: { depot: ['Rotterdam', 'Gdynia', 'Trieste'], hour: ['13:20', '14:40', '15:10'] },
    scenes: [
      user(
        'For all plans: pickups at the depot in {depot} must be booked before {hour}.',
        'The depot in {depot} never takes bookings after {hour}; always book pickups there before {hour}.',
      ),
      agent('The plan respects it.'),
    ],
    says: fact(
      ['{depot}', '{hour}'],
      ['book|pickup'],
      'Pickups at the depot in {depot} must be booked before {hour}',
    ),
  },
  {
    id: 'logistics-no-cancelling',
    from: 'denial',
    slots: { person: ['Milos', 'Anneke', 'Farida'], desk: ['dispatch desk 2', 'night desk'] },
    scenes: [
      denied(
        'bookings cancel SH-26-1188',
        'Do not cancel bookings yourself: ask {person} at the {desk} first, always.',
        'Bookings are never cancelled without {person}. Ask the {desk}.',
      ),
      agent('I have asked there and left the booking as it is.'),
    ],
    says: fact(
      ['{person}'],
      ['cancel'],
      'Do not cancel bookings yourself: ask {person} at the {desk}',
    ),
  },
  {
    id: 'logistics-pallet-height',
    from: 'correction',
    slots: { customer: ['Halvorsen', 'Bellini', 'Ostrava Mills'], cm: ['160', '175', '185'] },
    scenes: [
      agent('I have stacked the pallets for {customer} to 210 cm to save one.'),
      user(
        'They will send them back. {customer} only takes pallets up to {cm} cm high, so never stack higher.',
        '{customer} refuses that: pallets for them must be {cm} cm high at most.',
      ),
      agent('It is one pallet more now.'),
    ],
    says: fact(
      ['{customer}', '{cm} cm|{cm}cm'],
      ['pallet'],
      '{customer} takes pallets up to {cm} cm high',
    ),
  },
  {
    id: 'logistics-overwrite-rates',
    from: 'interrupt',
    slots: {
      file: ['rates-master.xlsx', 'tariff-2026.xlsx'],
      folder: ['/work/rates-draft', '/work/tariff-copy'],
    },
    scenes: [
      bash('python3 update_rates.py /shared/{file} --in-place', 'writing sheet 1 of 7 …'),
      interrupt,
      user(
        'Stop! Never write into {file}: always work on a copy in {folder}.',
        'Stop that. {file} must never be changed; make a copy in {folder} and work there.',
      ),
      agent('Nothing was saved; I go on with a copy.'),
    ],
    says: fact(
      ['{file}', '{folder}'],
      ['copy'],
      'Never write into {file}: work on a copy in {folder}',
    ),
  },
  {
    id: 'logistics-customs-order',
    from: 'success',
    times: 2,
    slots: { country: ['Norway', 'Switzerland', 'Serbia'], form: ['EX-A', 'form 11.010', 'T2L'] },
    scenes: [
      reads(
        '/mnt/session/uploads/customs-log.csv',
        'consignment,result\nEXP-9031,accepted\nEXP-9032,accepted',
      ),
      agent(
        'Papers for {country} must have {form} filled in first; then customs took all of them at once.',
        'For {country} the {form} has to come first in the file, which is why nothing was sent back.',
      ),
      graded(
        'satisfied',
        'All papers for {country} were accepted at once, because {form} came first.',
      ),
    ],
    says: fact(['{country}', '{form}'], ['first'], 'Papers for {country} must have {form} first'),
  },
];
