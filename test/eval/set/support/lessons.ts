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
    id: 'support-close-field',
    from: 'mistake',
    times: 3,
    slots: {
      field: ['resolution_code', 'root_cause', 'close_reason'],
      desk: ['Deskline', 'Helpwerk'],
    },
    scenes: [
      bashFails(
        'tickets close T-77120',
        '422 Unprocessable: {field} is missing ({desk})',
        '{desk} answered 422: "{field}" can\'t be blank',
      ),
      agent(
        'To close a ticket, {desk} must be given the field {field}; without it the call is refused.',
        '{desk} needs {field} whenever a ticket is closed, which the help does not say.',
      ),
      bash('tickets close T-77120 --set {field}=user_error', 'closed'),
    ],
    says: fact(['{desk}', '{field}'], ['clos'], 'To close a ticket {desk} needs the field {field}'),
  },
  {
    id: 'support-search-parameter',
    from: 'mistake',
    times: 2,
    slots: {
      shop: ['Kuchenwelt', 'Maison Bleue', 'Homely'],
      parameter: ['external_id', 'shop_ref'],
    },
    scenes: [
      bashFails('orders get --id KW-20981', '404 no order with id KW-20981'),
      agent(
        'Orders of {shop} must be searched by {parameter}, because id is our own number.',
        'For {shop} an order has to be searched by {parameter}; by id it is never found.',
      ),
      bash('orders get --{parameter} KW-20981', 'order 5518820, shipped'),
    ],
    says: fact(
      ['{shop}', '{parameter}'],
      ['order'],
      'Orders of {shop} are searched by {parameter}',
    ),
  },
  {
    id: 'support-form-of-address',
    from: 'correction',
    times: 2,
    slots: { brand: ['Aurelia', 'Bergfein', 'Nordstil'], form: ['first name', 'family name'] },
    scenes: [
      agent('The drafts for {brand} are ready, with a neutral greeting.'),
      user(
        'Please not. Customers of {brand} must always be addressed by their {form}.',
        'That is not our tone: with {brand} we always address customers by their {form}.',
      ),
      agent('I have changed the greetings.'),
    ],
    says: fact(
      ['{brand}', '{form}'],
      ['address|greet'],
      'Customers of {brand} are addressed by their {form}',
    ),
  },
  {
    id: 'support-refund-limit',
    from: 'fact',
    times: 2,
    slots: { amount: ['60', '140', '220'], team: ['the goodwill team', 'the claims team'] },
    scenes: [
      user(
        'From here on refunds above {amount} EUR must go to {team}.',
        'For all tickets: a refund above {amount} EUR is never ours, it always goes to {team}.',
      ),
      agent('Three of them do.'),
    ],
    says: fact(
      ['{amount} EUR|{amount} euro', '{team}'],
      ['refund'],
      'Refunds above {amount} EUR go to {team}',
    ),
  },
  {
    id: 'support-no-dates',
    from: 'denial',
    slots: {
      part: ['compressors', 'heating elements'],
      source: ['the plant calendar', 'the parts list'],
    },
    scenes: [
      denied(
        'tickets answer T-88031 --file promise.txt',
        'Never promise a delivery date for {part} that does not stand in {source}.',
        'Do not name dates for {part}: only what stands in {source} may be promised.',
      ),
      agent('The draft no longer names a date.'),
    ],
    says: fact(
      ['{part}', '{source}'],
      ['date|promis'],
      'Never promise a date for {part} that does not stand in {source}',
    ),
  },
  {
    id: 'support-descaling',
    from: 'success',
    times: 2,
    slots: {
      model: ['KX-40', 'BR-210', 'MV-7'],
      step: ['holding both keys for nine seconds', 'unplugging it for four minutes'],
    },
    scenes: [
      reads(
        '/mnt/session/uploads/reopened.csv',
        'ticket,model,reopened\nT-90211,{model},no\nT-90218,{model},no',
      ),
      agent(
        'The error light of the {model} must be cleared by {step}; none of those tickets came back.',
        'Customers with a {model} have to clear the light by {step}, which solved every case.',
      ),
      graded(
        'satisfied',
        'No ticket about the {model} was reopened, since {step} clears the light.',
      ),
    ],
    says: fact(
      ['{model}', '{step}'],
      ['light|clear|error'],
      'The light of the {model} is cleared by {step}',
    ),
  },
  {
    id: 'support-bulk-answer',
    from: 'interrupt',
    slots: { most: ['15', '25', '40'], lead: ['Salma', 'Jorge'] },
    scenes: [
      bash('tickets answer --all --file block-3.txt', 'answering 1 of 312 …'),
      interrupt,
      user(
        'Stop! Never answer more than {most} tickets at once without a word from {lead}.',
        'Stop that: at most {most} tickets may be answered at once, more must be agreed with {lead}.',
      ),
      agent('Two answers had gone out, the rest has not.'),
    ],
    says: fact(
      ['{most}', '{lead}'],
      ['ticket'],
      'Never answer more than {most} tickets at once without a word from {lead}',
    ),
  },
  {
    id: 'support-warranty-proof',
    from: 'correction',
    slots: {
      line: ['Steamline', 'Purefan'],
      proof: ['a photo of the type plate', 'the serial number'],
    },
    scenes: [
      agent('I have asked the customer for the receipt.'),
      user(
        'Wrong document: for {line} devices we always need {proof} and never the receipt.',
        'Not the receipt. With {line} devices the warranty must be checked with {proof}.',
      ),
      agent('The draft asks for it now.'),
    ],
    says: fact(
      ['{line}', '{proof}'],
      ['warranty|need|check|receipt'],
      'For {line} devices we need {proof}, never the receipt',
    ),
  },
];
