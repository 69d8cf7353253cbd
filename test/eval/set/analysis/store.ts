import { fact, type ApartCase, type DuplicateCase, type ProfileKind } from '../material.ts';

export const duplicates: readonly DuplicateCase[] = [
  {
    id: 'analysis-dup-returns',
    likeness: 'exact',
    slots: { weeks: ['three', 'five'] },
    memories: [
      [
        '/notes/returns.md',
        'Returns are complete only after {weeks} weeks; before that margins look too good.',
      ],
      [
        '/learned/returns.md',
        'returns are complete only after {weeks} weeks. Before that, margins look too good',
      ],
    ],
    says: fact(['{weeks} weeks'], ['return'], 'Returns are complete only after {weeks} weeks'),
    details: [],
  },
  {
    id: 'analysis-dup-robots',
    likeness: 'exact',
    slots: { field: ['ua_class', 'is_bot'] },
    memories: [
      [
        '/notes/robots.md',
        'Visits of robots are recognised by the field {field} and left out of conversion.',
      ],
      [
        '/learned/robots.md',
        'Visits of robots are recognised by the field {field}, and left out of conversion.\n',
      ],
      [
        '/archive/robots.md',
        'VISITS OF ROBOTS ARE RECOGNISED BY THE FIELD {field} AND LEFT OUT OF CONVERSION',
      ],
    ],
    says: fact(['{field}'], ['robot'], 'Visits of robots are recognised by the field {field}'),
    details: [],
  },
  {
    id: 'analysis-dup-rounding',
    likeness: 'near',
    slots: { digits: ['one decimal', 'two decimals'] },
    memories: [
      [
        '/notes/rounding.md',
        'Percentages in tables are shown with {digits}, in the text without any.',
      ],
      [
        '/learned/rounding.md',
        'Percentages are shown with {digits} in tables, and without any in the text.',
      ],
    ],
    says: fact(['{digits}'], ['percentage'], 'Percentages in tables are shown with {digits}'),
    details: [],
  },
  {
    id: 'analysis-dup-holidays',
    likeness: 'near',
    slots: { file: ['holidays_eu.csv', 'closed_days.csv'] },
    memories: [
      ['/notes/holidays.md', 'Holidays are taken from {file} and marked grey in charts of days.'],
      [
        '/learned/holidays.md',
        'Holidays are taken from {file} and marked grey in charts of days; regional ones are hatched.',
      ],
    ],
    says: fact(['{file}'], ['holiday'], 'Holidays are taken from {file} and marked grey'),
    details: [fact(['hatched'], ['regional'], 'Regional holidays are hatched')],
  },
  {
    id: 'analysis-dup-app-version',
    likeness: 'paraphrase',
    slots: { version: ['6.12', '7.3'] },
    memories: [
      [
        '/notes/app-version.md',
        'App version {version} counts a visit twice when the screen is turned.',
      ],
      [
        '/learned/app-visits.md',
        'A visit is counted twice by app version {version} when the screen is turned, on tablets too.',
      ],
    ],
    says: fact(['{version}'], ['twice|double'], 'App version {version} counts a visit twice'),
    details: [fact(['tablet'], ['{version}'], 'Also on tablets')],
  },
  {
    id: 'analysis-dup-supplier-lag',
    likeness: 'paraphrase',
    slots: { feed: ['Mercato feed', 'Agora feed'], hour: ['05:40', '06:25'] },
    memories: [
      [
        '/notes/feed.md',
        'The {feed} is complete at {hour}; reports that start before that miss orders.',
      ],
      [
        '/learned/feed-time.md',
        'Reports that start before {hour} miss orders, because the {feed} is complete only then.',
      ],
    ],
    says: fact(['{feed}', '{hour}'], ['complete'], 'The {feed} is complete at {hour}'),
    details: [],
  },
];

export const apart: readonly ApartCase[] = [
  {
    id: 'analysis-apart-tables',
    slots: { a: ['fct_orders_v3', 'fct_orders_v4'], b: ['fct_returns_v2', 'fct_returns_v5'] },
    memories: [
      ['/tables/orders.md', 'The table for orders in reports is {a}, refreshed at five.'],
      ['/tables/returns.md', 'The table for returns in reports is {b}, refreshed at five.'],
    ],
  },
  {
    id: 'analysis-apart-thresholds',
    slots: { a: ['3.5', '4.5'], b: ['1.2', '1.8'] },
    memories: [
      ['/alerts/desktop.md', 'Conversion below {a} percent on desktop raises an alert.'],
      ['/alerts/mobile.md', 'Conversion below {b} percent on mobile raises an alert.'],
    ],
  },
];

export const profiles: readonly ProfileKind[] = [
  {
    folder: '/datasets',
    names: [
      'addr_clean',
      'bonus_points',
      'cart_events',
      'delivery_slots',
      'email_sends',
      'footfall',
      'gift_cards',
      'heatmaps',
      'inventory_daily',
      'journey_steps',
      'kiosk_orders',
      'loyalty',
      'margin_table',
      'newsletter',
      'offers',
      'price_history',
      'queue_times',
      'reviews',
      'stock_moves',
      'tax_rates',
    ],
    lines: [
      'Owner is {owner}; questions go to the channel {channel}.',
      'It has {columns} columns and some {rows} thousand rows a month.',
      'Loaded {when} by job {job}.',
      'The key is {key}.',
      'Kept for {years} years.',
    ],
    slots: {
      owner: ['Amara', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Femke', 'Goran', 'Hana'],
      channel: ['data-##', 'shop-##', 'bi-##'],
      columns: ['1#', '2#', '3#'],
      rows: ['##', '###'],
      when: ['at 03:15', 'at 04:50', 'every hour'],
      job: ['ld_####', 'etl-###', 'imp_###'],
      key: ['day and store', 'order and line', 'customer', 'article and day'],
      years: ['2', '3', '5'],
    },
  },
];
