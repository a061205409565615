import { expect, test } from 'vitest';
import { Fuzzing } from './fuzzing.ts';

/** A short run of `npm run fuzz`, and every stretch of a seed that ever broke something. */
test.each([
  [1, 0, 1500],
  [2, 0, 1500],
])('seed %i, cases %i to %i', async (seed, from, to) => {
  const fuzzing = await Fuzzing.open(seed);
  for (let at = from; at < to; at += 500) await fuzzing.run(at, Math.min(at + 500, to));
  await fuzzing.close();
  expect(fuzzing.failures).toEqual([]);
  // It reached what it was to reach.
  expect(Object.keys(fuzzing.tally.statuses)).toEqual(expect.arrayContaining(['200', '400', '401', '404']));
  expect(Object.keys(fuzzing.tally.closes)).toEqual(expect.arrayContaining(['4400', '4422']));
});
