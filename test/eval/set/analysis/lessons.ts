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
    id: 'analysis-large-extract',
    from: 'mistake',
    times: 3,
    slots: { extract: ['clickstream', 'visits_raw', 'basket_lines'], tool: ['duckdb', 'polars'] },
    scenes: [
      bashFails(
        'python3 -c "import pandas; pandas.read_csv(\'{extract}.csv\')"',
        'Killed (out of memory)',
        'MemoryError: Unable to allocate 3.9 GiB',
      ),
      agent(
        'The extract {extract} is too large for pandas and must be read with {tool}.',
        '{extract} does not fit into memory, so it has to be read with {tool} and not with pandas.',
      ),
      bash('{tool} {extract}.csv --group region', 'north 120331\nsouth 98110\ncoast 45012'),
    ],
    says: fact(['{extract}', '{tool}'], ['read|large|memory'], 'Read {extract} with {tool}'),
  },
  {
    id: 'analysis-date-format',
    from: 'mistake',
    times: 2,
    slots: { source: ['Cashpoint', 'Tillmaster', 'Kassenbuch'], format: ['%d.%m.%y', '%m-%d-%Y'] },
    scenes: [
      bashFails(
        'python3 load.py {source}.csv',
        'ValueError: time data does not match format "%Y-%m-%d"',
      ),
      agent(
        'Dates of {source} must be parsed with {format}; the default fails.',
        'The {source} extract has to be parsed with the date format {format}.',
      ),
      bash("python3 load.py {source}.csv --dates '{format}'", 'loaded 5120 rows'),
    ],
    says: fact(
      ['{source}', '{format}'],
      ['date|pars'],
      'Dates of {source} are parsed with {format}',
    ),
  },
  {
    id: 'analysis-time-zone',
    from: 'correction',
    times: 2,
    slots: {
      source: ['appevents', 'pushlog', 'kioskfeed'],
      zone: ['Europe/Lisbon', 'Asia/Tokyo', 'America/Bogota'],
    },
    scenes: [
      agent('The peak in {source} is at four in the morning UTC.'),
      user(
        'That is not the peak. Timestamps in {source} are always in {zone}, never in UTC.',
        'No: times in {source} are {zone} and not UTC, so you must convert them.',
      ),
      agent('Then the peak is in the evening.'),
    ],
    says: fact(['{source}', '{zone}'], ['time'], 'Timestamps in {source} are in {zone}, not UTC'),
  },
  {
    id: 'analysis-test-accounts',
    from: 'correction',
    times: 2,
    slots: { prefix: ['QA-', 'ZZ_', 'demo.'] },
    scenes: [
      agent('Orders rose by nine percent.'),
      user(
        'You have counted our own. Accounts that begin with {prefix} must always be left out.',
        'Never count accounts that begin with {prefix}: they are ours.',
      ),
      agent('Without them it is two percent.'),
    ],
    says: fact(['{prefix}'], ['account'], 'Accounts that begin with {prefix} are left out'),
  },
  {
    id: 'analysis-fiscal-year',
    from: 'fact',
    times: 2,
    slots: { month: ['February', 'April', 'October'], label: ['FY', 'GJ'] },
    scenes: [
      user(
        'In all reports the fiscal year begins in {month} and must be written as {label}26.',
        'Our fiscal year always begins in {month}; write it as {label}26.',
      ),
      agent('The headings follow that.'),
    ],
    says: fact(
      ['{month}', '{label}26'],
      ['fiscal'],
      'The fiscal year begins in {month} and is written {label}26',
    ),
  },
  {
    id: 'analysis-sentinel',
    from: 'success',
    slots: { column: ['temp_c', 'dwell_s', 'margin_pct'], sentinel: ['-999', '-9999', '88888'] },
    scenes: [
      reads('/mnt/session/uploads/columns.md', '{column}: number\nstore_id: text\nday: date'),
      agent(
        'In {column} the value {sentinel} means missing and must be removed before any mean is taken.',
        '{sentinel} in {column} is no measurement: it has to be treated as missing.',
      ),
      graded(
        'satisfied',
        'The means are plausible, because {sentinel} in {column} was treated as missing.',
      ),
    ],
    says: fact(
      ['{column}', '{sentinel}'],
      ['missing'],
      'In {column} the value {sentinel} means missing',
    ),
  },
  {
    id: 'analysis-no-production',
    from: 'denial',
    slots: { replica: ['replica-eu-2', 'ro-reporting'], base: ['orders_main', 'shop_prod'] },
    scenes: [
      denied(
        'psql {base} -c "select count(*) from orders"',
        'Never query {base} directly: reports always use {replica}.',
        'Not on {base}. Queries for reports must go to {replica}.',
      ),
      bash('psql {replica} -c "select count(*) from orders"', ' count\n 88120'),
      agent('The number is from the replica.'),
    ],
    says: fact(
      ['{replica}', '{base}'],
      ['quer|report'],
      'Queries for reports go to {replica}, never to {base}',
    ),
  },
  {
    id: 'analysis-palette',
    from: 'interrupt',
    slots: { palette: ['cividis', 'batlow'], team: ['the board', 'the print shop'] },
    scenes: [
      bash('python3 chart.py --palette rainbow', 'drawing 1 of 12 …'),
      interrupt,
      user(
        'Stop, not in rainbow. Charts for {team} must always use the palette {palette}.',
        'Stop drawing: for {team} every chart has to use the palette {palette}.',
      ),
      agent('All twelve are drawn again.'),
    ],
    says: fact(['{palette}'], ['chart|palette'], 'Charts for {team} use the palette {palette}'),
  },
];
