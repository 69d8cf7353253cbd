// Goal: what code takes for a contradiction is one. Method: pairs of sentences, those that only look
// like one most of all: to take a true sentence for refuted would lose it.
import { expect, test } from 'vitest';
import { contradicts, statementsOf } from '#shared/dreams/contradiction.ts';

const refutes = (newer: string, older: string): boolean =>
  statementsOf(newer).some((said) => statementsOf(older).some((held) => contradicts(said, held)));

test.each([
  ['Parcels now go to dock 9.', 'Parcels go to dock 4.'],
  ['Parcels are sent to dock 9 instead of the old barn.', 'Parcels are sent to the old barn.'],
  [
    'The gate of the yard is open from 07:00 to 20:00.',
    'The gate of the yard is open from 08:30 to 17:30.',
  ],
  ['Letters are signed by Ms Okoye, not by Mr Hale any more.', 'Letters are signed by Mr Hale.'],
  [
    'Hale has left: letters to banks must now be signed by Okoye.',
    'Letters to banks are signed by Hale.',
  ],
  [
    'Logs of the mill no longer lie in /var/mill: look in /srv/mill.',
    'Logs of the mill lie in /var/mill.',
  ],
  [
    'The mill listens on port 9090.',
    'The mill always listens on port 8080. It is restarted at night.',
  ],
  ['# Mill\n\nThe mill listens on port 9090.', '# The mill\n\nMill listens on port 8080.'],
])('%j refutes %j', (newer, older) => {
  expect(refutes(newer, older)).toBe(true);
});

test.each([
  ['says the same', 'Parcels must go to dock 4, please.', 'Parcels go to dock 4.'],
  [
    'another case',
    'Tickets of guests are answered in 24 hours.',
    'Tickets of dealers are answered in 16 hours.',
  ],
  [
    'a special case',
    'Tickets of dealers are answered in 16 hours.',
    'Tickets are answered in 24 hours.',
  ],
  ['two values apart', 'In 2026 the fee is 6 percent.', 'In 2025 the fee is 5 percent.'],
  [
    'another person',
    'Okoye works on floor two of the tower.',
    'Hale works on floor two of the tower.',
  ],
  [
    'under another heading',
    '# Otter\n\nAsk for Hale at the goods entrance.',
    '# Beaver\n\nAsk for Okoye at the goods entrance.',
  ],
  [
    'leans on what is not there',
    'It has 24 columns and a thousand rows.',
    'It has 31 columns and a thousand rows.',
  ],
  [
    'forbids, and ends nothing',
    'Never send parcels to dock 4 unannounced, not even on Monday.',
    'Parcels go to dock 4 on Monday.',
  ],
  [
    'ends something else',
    'Bills go to Okoye instead of Hale.',
    'Hale plans the tours of the north.',
  ],
])('%s: %j leaves %j', (_, newer, older) => {
  expect(refutes(newer, older)).toBe(false);
});
