import { expect, test } from 'vitest';
import { again } from '#shared/core/again.ts';
import { limits } from '#shared/core/limits.ts';
import { ConditionFailed } from '#shared/core/table.ts';

const lost = (): never => {
  throw new ConditionFailed([0], []);
};

test('a lost race is run again, and its answer counts', async () => {
  let rounds = 0;
  expect(await again('x', async () => (++rounds < 3 ? lost() : rounds))).toBe(3);
});

test('any other error ends it at once', async () => {
  let rounds = 0;
  const run = again('x', async () => {
    rounds++;
    throw new Error('no');
  });
  await expect(run).rejects.toThrow('no');
  expect(rounds).toBe(1);
});

test('whoever loses every race is told to try again', async () => {
  let rounds = 0;
  const run = again("agent 'a'", async () => {
    rounds++;
    lost();
  });
  await expect(run).rejects.toMatchObject({
    kind: 'busy',
    message: expect.stringMatching(/^agent 'a' is being changed/),
  });
  expect(rounds).toBe(limits.update_attempts_max);
});
