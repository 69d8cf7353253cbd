import {
  agent,
  bash,
  bashFails,
  denied,
  fact,
  graded,
  reads,
  user,
  type LessonCase,
} from '../material.ts';

export const lessons: readonly LessonCase[] = [
  {
    id: 'invoice-decimal-comma',
    from: 'mistake',
    times: 3,
    slots: { vendor: ['Hartwig', 'Lindemann', 'Sorensen'], amount: ['1.284,50', '12.940,75'] },
    scenes: [
      bashFails(
        'python3 total.py {vendor}.csv',
        "ValueError: could not convert string to float: '{amount}'",
        "ValueError: unable to parse string '{amount}' at position 3",
      ),
      agent(
        "The export of {vendor} has to be read with decimal=',' because its amounts are written with a comma.",
        "Amounts in the {vendor} export use a decimal comma, so it needs decimal=',' when it is read.",
      ),
      bash("python3 total.py {vendor}.csv --decimal ','", 'rows 212  total 48210.35'),
    ],
    says: fact(
      ['{vendor}', "decimal=','|comma"],
      ['decimal|amount'],
      "The export of {vendor} must be read with decimal=','",
    ),
  },
  {
    id: 'invoice-export-encoding',
    from: 'mistake',
    times: 2,
    slots: { system: ['Kontor', 'Ledgerline', 'Saldo'], code: ['cp1252', 'utf-16', 'iso-8859-15'] },
    scenes: [
      bashFails(
        'python3 count.py {system}.csv',
        "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc in position 118",
      ),
      agent(
        'Files from {system} must be opened with encoding {code}; they are not UTF-8.',
        '{system} exports are not UTF-8: they have to be opened with encoding {code}.',
      ),
      bash('python3 count.py {system}.csv --encoding {code}', '388'),
    ],
    says: fact(
      ['{system}', '{code}'],
      ['encod|opened|read'],
      'Files from {system} must be opened with encoding {code}',
    ),
  },
  {
    id: 'invoice-freight-account',
    from: 'correction',
    times: 2,
    slots: {
      vendor: ['Marquardt', 'Tessier', 'Adeyemi'],
      right: ['4730', '6815'],
      wrong: ['4400', '6200'],
    },
    scenes: [
      agent('I have booked the freight lines of {vendor} to account {wrong} like the goods.'),
      user(
        'No. Freight on invoices of {vendor} always goes to account {right}, never to {wrong}.',
        'That is wrong: freight from {vendor} must be booked to account {right} and not to {wrong}.',
      ),
      agent('Understood, I have moved the freight lines.'),
    ],
    says: fact(
      ['{vendor}', '{right}'],
      ['freight'],
      'Freight on invoices of {vendor} is booked to account {right}',
    ),
  },
  {
    id: 'invoice-no-mail-to-vendors',
    from: 'denial',
    slots: {
      person: ['Ms Aalto', 'Mr Brandt', 'Ms Okafor'],
      folder: ['/drafts/vendors', '/outbox/review'],
    },
    scenes: [
      denied(
        'sendmail -t < reminder-answer.eml',
        'Never write to suppliers yourself. Put the draft into {folder}; {person} sends it.',
        'Do not mail suppliers directly: drafts always go into {folder} and {person} sends them.',
      ),
      agent('I have left the draft there instead.'),
    ],
    says: fact(
      ['{folder}', '{person}'],
      ['draft|mail|write|supplier'],
      'Never write to suppliers yourself: put the draft into {folder}; {person} sends it',
    ),
  },
  {
    id: 'invoice-credit-notes',
    from: 'correction',
    slots: { vendor: ['Castellan', 'Iversen', 'Petrakis'], type: ['KG', 'CN', 'G2'] },
    scenes: [
      agent('The two credit notes of {vendor} are in as ordinary invoices.'),
      user(
        'Not like that: credit notes of {vendor} must be entered as document type {type} with a negative amount.',
        'Please correct it. A credit note of {vendor} is always document type {type}, amount negative.',
      ),
      agent('Corrected.'),
    ],
    says: fact(
      ['{vendor}', '{type}'],
      ['credit note|credit'],
      'Credit notes of {vendor} are entered as document type {type} with a negative amount',
    ),
  },
  {
    id: 'invoice-second-approval',
    from: 'fact',
    times: 2,
    slots: { amount: ['7,500', '12,000', '18,000'], person: ['Ruiz', 'Haddad', 'Novak'] },
    scenes: [
      user(
        'For the future: every invoice above {amount} EUR needs a second approval by {person}.',
        'Please remember for all runs: above {amount} EUR an invoice must also be approved by {person}.',
      ),
      agent('I have marked the two that are above it.'),
    ],
    says: fact(
      ['{amount}', '{person}'],
      ['approv'],
      'Every invoice above {amount} EUR needs a second approval by {person}',
    ),
  },
  {
    id: 'invoice-vat-rounding',
    from: 'success',
    times: 2,
    slots: { country: ['Portugal', 'Croatia', 'Estonia'], scheme: ['per line', 'per document'] },
    scenes: [
      reads(
        '/mnt/session/uploads/vat-check.csv',
        'document,diff\nRE-2026-0417,0.01\nRE-2026-0418,-0.01',
      ),
      agent(
        'For invoices from {country} the VAT has to be rounded {scheme}; then every total agrees to the cent.',
        'VAT on invoices from {country} must be rounded {scheme}: that removed all cent differences.',
      ),
      graded(
        'satisfied',
        'Every total agrees to the cent, since VAT from {country} was rounded {scheme}.',
      ),
    ],
    says: fact(
      ['{country}', '{scheme}'],
      ['round'],
      'For invoices from {country} the VAT is rounded {scheme}',
    ),
  },
  {
    id: 'invoice-payment-day',
    from: 'correction',
    slots: {
      day: ['Tuesday', 'Thursday'],
      bank: ['Nordbank', 'Credit Vallier'],
      hour: ['10:15', '13:45'],
    },
    scenes: [
      agent('The proposal is set for Friday.'),
      user(
        'Payment runs with {bank} are always on {day}, and the file must be there before {hour}.',
        'No, with {bank} we pay on {day} only; the file has to be uploaded before {hour}.',
      ),
      agent('I have changed the date.'),
    ],
    says: fact(
      ['{bank}', '{day}', '{hour}'],
      ['pay'],
      'Payment runs with {bank} are on {day}, the file must be there before {hour}',
    ),
  },
];
