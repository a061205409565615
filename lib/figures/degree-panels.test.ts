import { expect, it } from 'vitest';
import type { Answer, RunAnswer, Term } from '../engine/index.ts';
import {
  axisOf,
  interactionsPanel,
  naiveErrorPanel,
  naiveNormPanel,
  ordersPanel,
  panelFigure,
  panelsFigure,
  spectrumPanel,
} from './degree-panels.ts';

const answerOf = (terms: Term[], more: Partial<Answer> = {}) =>
  ({ metric: 2, foil: 1, error: 2e-7, terms, notes: [], ...more }) as RunAnswer;
const byDegree = (values: number[]) => values.map((value, degree) => ({ name: String(degree), degree, value }));

const spectrum = spectrumPanel(answerOf(byDegree([1, 3, -2])));
const naive = answerOf([
  { name: '0', degree: 0, norm: 4, relativeError: 0.97 },
  { name: '1', degree: 1, norm: 9, relativeError: 1.29 },
]);
const interactions = interactionsPanel(
  answerOf(
    [
      { name: '{}', degree: 0, value: 1 },
      { name: '{a0}', degree: 1, value: -2 },
      { name: '{a1}', degree: 1, value: 0.5 },
    ],
    { remainder: 2.5 },
  ),
);
const orders = ordersPanel(answerOf(byDegree([9, 0.5, 0.01])));
const panels = [spectrum, naiveErrorPanel(naive), naiveNormPanel(naive), interactions, orders];

/** Where the bar or dot of a degree stands, from left. */
const placesOf = (svg: string) => [...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));

it('puts the same degree at the same place in every panel', () => {
  const axis = axisOf(panels);
  expect(axis).toEqual({ last: 2, beyond: true });
  const [first, second] = [panelFigure(spectrum, axis), panelFigure(panels[1]!, axis)].map(placesOf);
  expect(first).toHaveLength(3);
  expect(second).toEqual(first!.slice(0, 2));
});

it('draws what is beyond the evaluated orders as a bar of its own, from its own number', () => {
  const svg = panelFigure(interactions, axisOf(panels));
  expect(svg).toMatch(/data-bar="beyond"[^>]*><title>beyond: \+2\.500/);
  expect(svg).toMatch(/data-bar="1"[^>]*--negative[^>]*><title>1: −1\.500/);
  expect(panelFigure(spectrum, axisOf([spectrum]))).not.toContain('beyond');
});

it('colours no size as if it had a sign, and takes powers of ten where a loss falls far', () => {
  expect(panelFigure(panels[2]!, axisOf(panels))).not.toMatch(/--positive|--negative/);
  expect(panelFigure(orders, axisOf(panels))).toContain('>0.01</text>');
});

it('says kind, error and all numbers of each panel in one document', () => {
  const svg = panelsFigure(panels);
  expect(svg.match(/<svg /g)).toHaveLength(1);
  expect(svg).toContain('>identity, error 2e−7</text>');
  expect(svg).toContain('>approximation</text>');
  expect(svg).toContain('relative error by degree. Line, up to each degree: 0 0.970; 1 1.290.');
  expect(svg).not.toMatch(/NaN|Infinity/);
});

it.each([[[0]], [[1]], [[1e-12, -1e9]]])('draws %j without a number that is none', (values) => {
  const panel = spectrumPanel(answerOf(byDegree(values)));
  expect(panelFigure(panel, axisOf([panel]))).not.toMatch(/NaN|Infinity/);
});
