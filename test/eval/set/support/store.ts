import { fact, type ApartCase, type DuplicateCase, type ProfileKind } from '../material.ts';

export const duplicates: readonly DuplicateCase[] = [
  {
    id: 'support-dup-emoji',
    likeness: 'exact',
    slots: { brand: ['Lumo', 'Vesta'] },
    memories: [
      ['/notes/emoji.md', 'Answers for {brand} have no emoji and no exclamation marks.'],
      ['/learned/emoji.md', 'answers for {brand} have no emoji, and no exclamation marks'],
    ],
    says: fact(['{brand}'], ['emoji'], 'Answers for {brand} have no emoji'),
    details: [],
  },
  {
    id: 'support-dup-manuals',
    likeness: 'exact',
    slots: { shelf: ['DOC-7', 'DOC-9'] },
    memories: [
      [
        '/notes/manuals.md',
        'Manuals of discontinued models are in the folder {shelf} and may be sent as PDF.',
      ],
      [
        '/learned/manuals.md',
        'Manuals of discontinued models are in the folder {shelf}, and may be sent as PDF.\n\n',
      ],
      [
        '/archive/manuals.md',
        'MANUALS of discontinued models are in the folder {shelf} and may be sent as PDF',
      ],
    ],
    says: fact(['{shelf}'], ['manual'], 'Manuals of discontinued models are in the folder {shelf}'),
    details: [],
  },
  {
    id: 'support-dup-callback',
    likeness: 'near',
    slots: { window: ['two hours', 'three hours'] },
    memories: [
      [
        '/notes/callback.md',
        'A promised call back has a window of {window} and is entered in the calendar.',
      ],
      [
        '/learned/callback.md',
        'A call back that is promised has a window of {window}, and is entered in the calendar.',
      ],
    ],
    says: fact(['{window}'], ['call'], 'A promised call back has a window of {window}'),
    details: [],
  },
  {
    id: 'support-dup-limescale',
    likeness: 'near',
    slots: { remedy: ['citric acid', 'vinegar essence'], model: ['Aqua-300', 'Aqua-500'] },
    memories: [
      ['/notes/limescale.md', 'Limescale in the {model} is removed with {remedy}, cold.'],
      [
        '/learned/limescale.md',
        'Limescale in the {model} is removed with {remedy}, cold. The seal is rinsed afterwards.',
      ],
    ],
    says: fact(
      ['{model}', '{remedy}'],
      ['limescale'],
      'Limescale in the {model} is removed with {remedy}',
    ),
    details: [fact(['rinsed'], ['seal'], 'The seal is rinsed afterwards')],
  },
  {
    id: 'support-dup-spare-belt',
    likeness: 'paraphrase',
    slots: { belt: ['B-1180', 'B-1240'], model: ['Swift 2', 'Swift 4'] },
    memories: [
      [
        '/notes/belts.md',
        'The {model} takes the belt {belt}, which is sent free of charge within the warranty.',
      ],
      [
        '/learned/belt.md',
        'Within the warranty the belt {belt} for the {model} is sent free of charge.',
      ],
    ],
    says: fact(['{model}', '{belt}'], ['belt'], 'The {model} takes the belt {belt}'),
    details: [],
  },
  {
    id: 'support-dup-angry',
    likeness: 'paraphrase',
    slots: { team: ['escalation desk', 'care team'], count: ['third', 'fourth'] },
    memories: [
      [
        '/notes/complaints.md',
        'From the {count} complaint on, a customer is handed to the {team}.',
      ],
      [
        '/learned/escalation.md',
        'A customer is handed to the {team} from the {count} complaint on; the history goes along.',
      ],
    ],
    says: fact(
      ['{team}', '{count}'],
      ['complaint'],
      'From the {count} complaint on a customer is handed to the {team}',
    ),
    details: [fact(['history'], ['along|with'], 'The history goes along')],
  },
];

export const apart: readonly ApartCase[] = [
  {
    id: 'support-apart-voltage',
    slots: { a: ['120 V', '110 V'], b: ['230 V', '240 V'] },
    memories: [
      [
        '/products/mixer-us.md',
        'The mixer for the American market runs on {a} and has a grey cable.',
      ],
      [
        '/products/mixer-eu.md',
        'The mixer for the European market runs on {b} and has a grey cable.',
      ],
    ],
  },
  {
    id: 'support-apart-addresses',
    slots: { a: ['hall K2', 'hall K3'], b: ['hall N7', 'hall N8'] },
    memories: [
      ['/returns/kettles.md', 'Kettles that come back are sent to {a}.'],
      ['/returns/toasters.md', 'Toasters that come back are sent to {b}.'],
    ],
  },
];

export const profiles: readonly ProfileKind[] = [
  {
    folder: '/products',
    names: [
      'Airfresh 10',
      'Breadbox 2',
      'Coolbar 5',
      'Dripmaster',
      'Eggtimer Pro',
      'Frothy',
      'Grillo',
      'Handwhisk 3',
      'Icecrush',
      'Juicer J8',
      'Kneader',
      'Lampette',
      'Milkpan',
      'Nutmill',
      'Ovenette',
      'Pastamat',
      'Quickboil',
      'Ricepot',
      'Smoothie S1',
      'Teamaker',
    ],
    lines: [
      'Sold since {year}, article number {article}.',
      'Warranty {warranty}; spare parts until {until}.',
      'Known weak point: {weak}.',
      'Power {power} W.',
      'The manual is document {document}.',
    ],
    slots: {
      year: ['2019', '2021', '2023', '2024'],
      article: ['40####', '41####', '55####'],
      warranty: ['two years', 'three years'],
      until: ['2031', '2033', '2035'],
      weak: ['the hinge of the lid', 'the cable guide', 'the seal ring', 'none so far'],
      power: ['4##', '9##', '1,1##'],
      document: ['M-####', 'M-###-b'],
    },
  },
];
