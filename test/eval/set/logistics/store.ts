import { fact, type ApartCase, type DuplicateCase, type ProfileKind } from '../material.ts';

export const duplicates: readonly DuplicateCase[] = [
  {
    id: 'logistics-dup-labels',
    likeness: 'exact',
    slots: { size: ['A6', 'A5'] },
    memories: [
      [
        '/notes/labels.md',
        'Labels are printed on {size} and stuck on the short side of the parcel.',
      ],
      [
        '/learned/labels.md',
        'Labels are printed on {size}, and stuck on the short side of the parcel!',
      ],
    ],
    says: fact(['{size}'], ['label'], 'Labels are printed on {size}'),
    details: [],
  },
  {
    id: 'logistics-dup-phone',
    likeness: 'exact',
    slots: { minutes: ['35', '50'] },
    memories: [
      [
        '/notes/drivers.md',
        'Drivers call {minutes} minutes before they arrive, so that the ramp is free.',
      ],
      [
        '/learned/driver-calls.md',
        'drivers call {minutes} minutes before they arrive so that the ramp is free',
      ],
      [
        '/archive/ramp.md',
        '  Drivers call {minutes} minutes before they arrive,\n  so that the ramp is free.\n',
      ],
    ],
    says: fact(
      ['{minutes} minutes'],
      ['driver'],
      'Drivers call {minutes} minutes before they arrive',
    ),
    details: [],
  },
  {
    id: 'logistics-dup-straps',
    likeness: 'near',
    slots: { count: ['four', 'six'], item: ['gearboxes', 'transformers'] },
    memories: [
      ['/notes/lashing.md', 'Loads of {item} are secured with {count} straps and anti-slip mats.'],
      [
        '/learned/lashing.md',
        'Loads of {item} must be secured with {count} straps and with anti-slip mats.',
      ],
    ],
    says: fact(['{item}', '{count}'], ['strap'], 'Loads of {item} are secured with {count} straps'),
    details: [],
  },
  {
    id: 'logistics-dup-cooling',
    likeness: 'near',
    slots: { from: ['2', '4'], to: ['8', '9'], logger: ['TempTag', 'Frostlog'] },
    memories: [
      [
        '/notes/cooling.md',
        'Cooled goods travel at {from} to {to} degrees with a {logger} logger in the box.',
      ],
      [
        '/learned/cooling.md',
        'Cooled goods travel at {from} to {to} degrees with a {logger} logger in the box; its reading is filed with the order.',
      ],
    ],
    says: fact(
      ['{from} to {to}', '{logger}'],
      ['cooled'],
      'Cooled goods travel at {from} to {to} degrees with a {logger} logger',
    ),
    details: [
      fact(['filed'], ['reading|order'], 'The reading of the logger is filed with the order'),
    ],
  },
  {
    id: 'logistics-dup-saturday',
    likeness: 'paraphrase',
    slots: { fee: ['85', '120'], city: ['Lyon', 'Porto'] },
    memories: [
      [
        '/notes/saturday.md',
        'Saturday deliveries in {city} cost {fee} EUR more and need a phone number.',
      ],
      [
        '/learned/weekend.md',
        'In {city} a delivery on Saturday costs {fee} EUR more and needs the phone number of the consignee.',
      ],
    ],
    says: fact(
      ['{city}', '{fee}'],
      ['saturday'],
      'Saturday deliveries in {city} cost {fee} EUR more',
    ),
    details: [],
  },
  {
    id: 'logistics-dup-empties',
    likeness: 'paraphrase',
    slots: { day: ['Wednesday', 'Monday'], partner: ['Palletpool', 'Ringloop'] },
    memories: [
      ['/notes/empties.md', 'Empty pallets are collected by {partner} every {day}.'],
      [
        '/learned/empty-pallets.md',
        '{partner} collects the empty pallets every {day}; broken ones are kept apart.',
      ],
    ],
    says: fact(
      ['{partner}', '{day}'],
      ['pallet'],
      'Empty pallets are collected by {partner} every {day}',
    ),
    details: [fact(['broken'], ['apart|separate'], 'Broken pallets are kept apart')],
  },
];

export const apart: readonly ApartCase[] = [
  {
    id: 'logistics-apart-docks',
    slots: { a: ['dock 21', 'dock 23'], b: ['dock 31', 'dock 33'] },
    memories: [
      [
        '/sites/bremen-import.md',
        'Imports at the Bremen site are unloaded at {a}, between six and two.',
      ],
      [
        '/sites/bremen-export.md',
        'Exports at the Bremen site are loaded at {b}, between six and two.',
      ],
    ],
  },
  {
    id: 'logistics-apart-accounts',
    slots: { a: ['K-4471', 'K-4502'], b: ['K-8813', 'K-8840'] },
    memories: [
      ['/accounts/parcel-domestic.md', 'The customer account for domestic parcels is {a}.'],
      ['/accounts/parcel-export.md', 'The customer account for export parcels is {b}.'],
    ],
  },
];

export const profiles: readonly ProfileKind[] = [
  {
    folder: '/consignees',
    names: [
      'Alder Shipyard',
      'Borealis Mining',
      'Calder Foods',
      'Dunmore Textiles',
      'Elbe Turbines',
      'Fjordtek',
      'Glenrock Dairy',
      'Havel Optics',
      'Inverness Paper',
      'Jutland Wind',
      'Karst Cement',
      'Lough Tools',
      'Morava Glass',
      'Neva Timber',
      'Oder Robotics',
      'Pennine Wool',
      'Quarto Print',
      'Rhone Cycles',
      'Soca Fitness',
      'Tiber Ceramics',
    ],
    lines: [
      'Ramp {ramp}, open from {from} to {to}.',
      'Ask for {person} at the goods entrance.',
      'Forklift on site: {forklift}.',
      'Deliveries are announced {notice} ahead.',
      'Reference on the papers: {reference}.',
    ],
    slots: {
      ramp: ['A##', 'B##', 'C##'],
      from: ['06:00', '06:30', '07:15'],
      to: ['14:00', '15:30', '16:45'],
      person: ['Aune', 'Bakker', 'Cermak', 'Doyle', 'Engel', 'Ferrer', 'Gruber', 'Hajek'],
      forklift: ['yes, two tons', 'no', 'yes, on request', 'only before noon'],
      notice: ['one day', 'two days', 'four hours'],
      reference: ['WE-####', 'GR-###', 'IN-#####'],
    },
  },
];
