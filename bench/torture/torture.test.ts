import { describe, expect, test } from 'vitest';
import { hasPostgres, hasRedis } from '../../server/testing/services.ts';
import { tortureByConvergence } from './convergence.ts';
import { tortureByKills } from './kills.ts';

/** A taste of `npm run torture`, which goes on for hours. The seed is one that reaches the moments worth reaching. */

const say = () => {};

test('kills on the embedded database lose nothing', { timeout: 300_000 }, async () => {
  const figures = await tortureByKills({ engine: 'pglite', instances: 1, kills: 4, seed: 7, minutes: null, say });
  expect(figures?.problems, 'npm run torture -- --engine pglite --kills 4 --seed 7').toEqual([]);
  expect(figures?.kills).toBe(4);
  expect(figures?.acknowledged).toBeGreaterThan(50);
});

describe.skipIf(!hasPostgres())('on Postgres', () => {
  test('kills of servers and of the database lose nothing', { timeout: 300_000 }, async () => {
    const figures = await tortureByKills({ engine: 'postgres', instances: 1, kills: 4, seed: 7, minutes: null, say });
    expect(figures?.problems, 'npm run torture -- --engine postgres --kills 4 --seed 7').toEqual([]);
    expect(figures?.acknowledged).toBeGreaterThan(50);
  });

  test.skipIf(!hasRedis())('people at two instances end up with the same boards', { timeout: 300_000 }, async () => {
    const figures = await tortureByConvergence({ engine: 'postgres', instances: 2, seed: 1, seeds: 20, say });
    expect(figures?.problems, 'npm run torture -- --convergence 20 --instances 2 --seed 1').toEqual([]);
    expect(figures?.seeds).toBe(20);
  });
});
