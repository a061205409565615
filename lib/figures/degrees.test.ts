import { expect, it } from 'vitest';
import type { Answer } from '../engine/index.ts';
import { degreeRows, degreesFigure } from './degrees.ts';

const answer = (values: number[], foil: number | null = 1) =>
  ({
    metric: values.reduce((sum, value) => sum + value, 0),
    foil,
    terms: values.map((value, degree) => ({ name: String(degree), degree, value })).toReversed(),
  }) as unknown as Answer;

it('orders degrees and adds them up', () => {
  expect(degreeRows(answer([1, -3, 4]))).toEqual([
    { degree: 0, value: 1, running: 1 },
    { degree: 1, value: -3, running: -2 },
    { degree: 2, value: 4, running: 2 },
  ]);
});

it('names itself, its axes and its unit, and says all its numbers as text', () => {
  const svg = degreesFigure(answer([1, -3, 4]));
  expect(svg).toContain('role="img"');
  expect(svg).toContain('aria-labelledby="degrees-title degrees-text"');
  expect(svg).toContain('>logit difference (logits)</text>');
  expect(svg).toContain('degree 1 −3.000 (−150%)');
  expect(degreesFigure(answer([1], null))).toContain('>logit (logits)</text>');
});

it.each([[[0]], [[0, 0]], [[1e-9, -1e-9]], [[1e6, 3]]])('draws %j without a number that is none', (values) => {
  expect(degreesFigure(answer(values))).not.toMatch(/NaN|Infinity/);
});
