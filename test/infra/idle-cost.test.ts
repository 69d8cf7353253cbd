/** What a deployment costs when nobody works: every resource is accounted for, and it is under $2. */
import { expect, test } from 'vitest';
import { free, idleCosts, idleTotal } from './idle-cost.ts';
import { ofType, synth } from './stack.ts';

const { template } = synth();

test('every type of resource in the template is accounted for, and no other', () => {
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));
  expect([...types].toSorted()).toEqual([...Object.keys(idleCosts), ...free].toSorted());
});

test.each(Object.entries(idleCosts))(
  '%s is there as often as it is paid for',
  (type, { count }) => {
    expect(ofType(template, type)).toHaveLength(count);
  },
);

test('a month in which nobody works costs less than $2', () => {
  expect(idleTotal.usd).toBeLessThan(2);
});
