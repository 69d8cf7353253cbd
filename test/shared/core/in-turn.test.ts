import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inTurn } from '#shared/core/in-turn.ts';

const scope = {};

test('work of one name is done one after the other, in the order of asking, and of two names side by side', async () => {
  const seen: string[] = [];
  const work = (what: string) => async () => {
    seen.push(`${what} begins`);
    await sleep(5);
    seen.push(`${what} ends`);
    return what;
  };
  const asked = [
    inTurn(scope, 'a', work('a1')),
    inTurn(scope, 'a', work('a2')),
    inTurn(scope, 'b', work('b1')),
  ];
  expect(await Promise.all(asked)).toEqual(['a1', 'a2', 'b1']);
  expect(seen.filter((each) => each.startsWith('a'))).toEqual([
    'a1 begins',
    'a1 ends',
    'a2 begins',
    'a2 ends',
  ]);
  expect(seen.indexOf('b1 begins')).toBeLessThan(seen.indexOf('a1 ends'));
});

test('what fails fails for who asked, and holds nobody up', async () => {
  const failed = inTurn(scope, 'a', async () => await Promise.reject(new Error('no')));
  const next = inTurn(scope, 'a', async () => await Promise.resolve('yes'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
