import { expect, test } from 'vitest';
import type { Answer } from '../lib/engine/index.ts';
import { linesOf } from './cli-print.ts';

const answer: Answer = {
  view: 'concentration',
  kind: 'identity',
  engineVersion: '0',
  model: { name: 'toy', hash: '' },
  backend: { engine: 'none', provider: 'none', dtype: 'float32' },
  reference: null,
  tokens: [1],
  position: 0,
  target: 1,
  foil: null,
  metric: 2,
  terms: [{ name: 'head', mass: 3, count: 4 }],
  remainder: 0.5,
  sum: 2,
  error: 0,
  notes: [],
  elapsedMs: 0,
};

test('a remainder stands below the values that it is the rest of, or on a line of its own where terms have none', () => {
  const lines = linesOf(answer);
  expect(lines).toContain('remainder 0.5');
  expect(lines.filter((line) => line.includes('remainder'))).toHaveLength(1);
  const valued = linesOf({ ...answer, view: 'direct', terms: [{ name: 'input', value: 1.5 }] });
  expect(valued.filter((line) => line.includes('remainder'))).toEqual(['0.5  remainder']);
});

test('numbers that do not exist are called none', () => {
  const terms = [{ name: 'a0.h0->a1.h0', q: null, k: 0.25, v: null }];
  const lines = linesOf({
    ...answer,
    view: 'composition',
    terms,
    remainder: undefined,
    defects: [{ name: 'm0', live: null, frozenScale: null }],
  });
  expect(lines.find((line) => line.endsWith('a0.h0->a1.h0'))).toBe('none  0.25  none  a0.h0->a1.h0');
  expect(lines.find((line) => line.endsWith('m0'))).toMatch(/^ *none +none {2}m0$/);
});
