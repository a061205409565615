import { expect, it } from 'vitest';
import type { Answer } from '../engine/index.ts';
import { csvOf, fileStem } from './csv.ts';

const answer = (view: string, terms: object[], more: object = {}) =>
  ({ view, terms, metric: 2, foil: 1, model: { name: 'a b/c', hash: 'x' }, ...more }) as unknown as Answer;

const lines = (text: string) => text.trimEnd().split('\r\n');

it('names columns with their units, and keeps every digit', () => {
  expect(lines(csvOf(answer('flow', [{ name: 'input->a0.h0', value: 0.1 + 0.2 }])))).toEqual([
    'edge,value (logits)',
    'input->a0.h0,0.30000000000000004',
  ]);
});

it('says what the value of a view is, and how it changed the metric', () => {
  expect(lines(csvOf(answer('ablate', [{ name: 'm0', value: 0.5 }])))).toEqual([
    'node,metric after it (logits),change (logits)',
    'm0,0.5,-1.5',
  ]);
  expect(lines(csvOf(answer('orders', [{ name: '0', degree: 0, value: 3 }])))[0]).toBe('up to degree,loss (nats)');
});

it('has a column for each example, of the number that the values are of', () => {
  const terms = [{ name: '1', relativeError: 2, norm: 5, values: [1, null, 3], spread: 1 }];
  expect(lines(csvOf(answer('naive-expansion', terms, { settings: { values: 'relativeError' } })))).toEqual([
    'degree,standard deviation (‖error‖/‖stream‖),norm of this degree’s sum (stream),relative error up to it (‖error‖/‖stream‖),"relative error up to it, example 1 (‖error‖/‖stream‖)","relative error up to it, example 2 (‖error‖/‖stream‖)","relative error up to it, example 3 (‖error‖/‖stream‖)"',
    '1,1,5,2,1,,3',
  ]);
});

it('quotes what would break a line, leaves null empty, and puts lists into one cell', () => {
  const terms = [{ name: 'a0.h0', previous: null, pattern: [[1], [0.5, 0.5]] }];
  expect(lines(csvOf(answer('heads', terms)))).toEqual(['head,previous token (attention),pattern', 'a0.h0,,"[[1],[0.5,0.5]]"']);
  expect(csvOf(answer('circuits', [{ name: 'x', fromText: ' "a",\n', toText: 'b', value: 1 }]))).toContain('x," ""a"",\n",b,1\r\n');
});

it('names the file after model and view', () => {
  expect(fileStem(answer('flow', []))).toBe('pathboard-a-b-c-flow');
});
