import { fact, type DuplicateCase, type ApartCase, type ProfileKind } from '../material.ts';

export const duplicates: readonly DuplicateCase[] = [
  {
    id: 'invoice-dup-skonto',
    likeness: 'exact',
    slots: { days: ['9', '12'] },
    memories: [
      [
        '/notes/discount.md',
        'Cash discount is taken whenever payment within {days} days is possible.',
      ],
      [
        '/learned/discount-rule.md',
        'cash discount is taken whenever  payment within {days} days is POSSIBLE',
      ],
    ],
    says: fact(
      ['{days} days'],
      ['discount'],
      'Cash discount is taken whenever payment within {days} days is possible',
    ),
    details: [],
  },
  {
    id: 'invoice-dup-iban',
    likeness: 'exact',
    slots: { person: ['Kessler', 'Ibarra'] },
    memories: [
      [
        '/notes/bank-details.md',
        'Changes of bank details are confirmed by phone with {person} before anything is paid.\n',
      ],
      [
        '/learned/bank-details.md',
        'Changes of bank details are confirmed by phone with {person} before anything is paid',
      ],
      [
        '/archive/2026-07-bank.md',
        'CHANGES OF BANK DETAILS ARE CONFIRMED BY PHONE WITH {person}, BEFORE ANYTHING IS PAID.',
      ],
    ],
    says: fact(
      ['{person}'],
      ['bank details'],
      'Changes of bank details are confirmed by phone with {person}',
    ),
    details: [],
  },
  {
    id: 'invoice-dup-currency',
    likeness: 'near',
    slots: { source: ['Bundesbank', 'Riksbank'] },
    memories: [
      [
        '/notes/currency.md',
        'Foreign currency invoices are converted with the {source} rate of the invoice date.',
      ],
      [
        '/learned/currency-rate.md',
        'Invoices in foreign currency are converted with the {source} rate of the date of the invoice.',
      ],
    ],
    says: fact(
      ['{source}'],
      ['currenc'],
      'Foreign currency invoices are converted with the {source} rate',
    ),
    details: [],
  },
  {
    id: 'invoice-dup-duplicate-check',
    likeness: 'near',
    slots: { key: ['reference and amount', 'reference and date'], report: ['ZD14', 'ZD22'] },
    memories: [
      [
        '/notes/double-invoices.md',
        'Before booking, report {report} is run to find double invoices by {key}.',
      ],
      [
        '/learned/double-invoices.md',
        'Before booking, the report {report} is run to find double invoices by {key}. It takes a minute.',
      ],
    ],
    says: fact(['{report}'], ['double'], 'Report {report} finds double invoices by {key}'),
    details: [fact(['minute'], ['{report}'], 'Report {report} takes a minute')],
  },
  {
    id: 'invoice-dup-travel',
    likeness: 'paraphrase',
    slots: { account: ['6673', '6650'] },
    memories: [
      [
        '/notes/travel.md',
        'Travel expenses are booked to account {account} and need the receipt as an attachment.',
      ],
      [
        '/learned/expenses.md',
        'Book travel expenses to account {account}; the receipt has to be an attachment. Hotel tax is a line of its own.',
      ],
    ],
    says: fact(['{account}'], ['travel'], 'Travel expenses are booked to account {account}'),
    details: [fact(['hotel tax'], ['line'], 'Hotel tax is a line of its own')],
  },
  {
    id: 'invoice-dup-language',
    likeness: 'paraphrase',
    slots: { lang: ['Finnish', 'Czech'], person: ['Maren', 'Tobias'] },
    memories: [
      [
        '/notes/translations.md',
        'Invoices in {lang} are given to {person}, who translates them before they are booked.',
      ],
      [
        '/learned/foreign-invoices.md',
        'Before they are booked, invoices in {lang} go to {person}, who translates them.',
      ],
    ],
    says: fact(
      ['{lang}', '{person}'],
      ['translat'],
      'Invoices in {lang} are translated by {person} before they are booked',
    ),
    details: [],
  },
];

export const apart: readonly ApartCase[] = [
  {
    id: 'invoice-apart-company-codes',
    slots: { a: ['1010', '1100'], b: ['2010', '2100'] },
    memories: [
      [
        '/entities/plant-north.md',
        'Invoices for the plant in the north are booked in company code {a}.',
      ],
      [
        '/entities/plant-south.md',
        'Invoices for the plant in the south are booked in company code {b}.',
      ],
    ],
  },
  {
    id: 'invoice-apart-terms',
    slots: { a: ['14', '21'], b: ['45', '60'] },
    memories: [
      [
        '/entities/terms-services.md',
        'Invoices for services are paid after {a} days, counted from receipt.',
      ],
      [
        '/entities/terms-goods.md',
        'Invoices for goods are paid after {b} days, counted from receipt.',
      ],
    ],
  },
];

export const profiles: readonly ProfileKind[] = [
  {
    folder: '/suppliers',
    names: [
      'Abramov Tools',
      'Belvoir Plastics',
      'Cinnabar Coatings',
      'Dovetail Wood',
      'Ekberg Motors',
      'Fontana Glass',
      'Garrick Wire',
      'Hollis Bearings',
      'Isaksen Valves',
      'Jurado Steel',
      'Kestrel Cables',
      'Lumen Lighting',
      'Mbeki Chemicals',
      'Nadir Filters',
      'Orsini Paint',
      'Pavlic Hydraulics',
      'Quayle Springs',
      'Rautio Rubber',
      'Santos Screws',
      'Tanaka Sensors',
    ],
    lines: [
      'Supplier number {supplier}, terms {terms} days net.',
      'Contact is {person}, extension {extension}.',
      'Invoices come {way}.',
      'Order confirmations carry our reference in the field {field}.',
      'The tax number ends in {tail}.',
    ],
    slots: {
      supplier: ['7#####', '8#####'],
      terms: ['14', '30', '45'],
      person: ['Berg', 'Costa', 'Dahl', 'Eriksen', 'Fabre', 'Gallo', 'Hoek', 'Ivanov'],
      extension: ['1##', '2##', '3##'],
      way: ['through the portal as XML', 'as PDF by mail', 'on paper, once a month', 'by EDI'],
      field: ['BSTKD', 'YourRef', 'Order no.', 'Ref2'],
      tail: ['-##', '/###'],
    },
  },
];
