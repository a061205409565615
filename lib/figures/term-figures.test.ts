import { expect, it } from 'vitest';
import type { Answer, Term, View } from '../engine/index.ts';
import { figuresOf } from './term-figures.ts';

const answer = (view: View, terms: Term[], more: Partial<Answer> = {}) =>
  ({ view, terms, metric: 2, foil: 1, tokens: [5, 6], tokenTexts: ['<b>', ' x'], ...more }) as Answer;

const many = Array.from({ length: 40 }, (_, index) => ({ name: `input->a0.h${index}`, value: index - 20 }));
const examples: [View, Term[]][] = [
  ['flow', many],
  ['units', [{ name: 'm0.n1', value: 0 }]],
  ['interactions', [{ name: '{}', value: 1e9 }]],
  ['attribution', [{ name: 'input->a0.h0<q>', value: -1e-9 }]],
  ['edge-patch', [{ name: 'a0.h0->a1.h0<k>', value: 1 }]],
  ['ablate', [{ name: 'a0.h0', value: 2 }]],
  ['orders', [{ name: '0', degree: 0, value: 8 }]],
  ['naive-expansion', [0.97, 1.29, 3e5].map((relativeError, degree) => ({ name: String(degree), degree, relativeError, norm: 0 }))],
  ['scrub', [{ name: '1', value: 0.5 }, { name: '2' }, { name: 'mean', value: 0.5 }]],
  [
    'virtual-head',
    [
      { name: '0<-0', value: 1 },
      { name: '1<-0', value: 0.4 },
    ],
  ],
  ['heads', [{ name: 'a0.h0', previous: 0.5, duplicate: null, induction: 0, pattern: [[1], [0.25, 0.75]] }]],
  ['composition', [{ name: 'a0.h0->a1.h0', q: 0.1, k: 0, v: 0.2 }]],
];

it.each(examples)('%s is drawn with a name, a text of its numbers, and no number that is none', (view, terms) => {
  const figures = figuresOf(answer(view, terms));
  expect(figures.length).toBeGreaterThan(0);
  expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
  for (const { id, title, svg } of figures) {
    expect(svg).toContain(`role="img" aria-labelledby="${id}-title ${id}-text"`);
    expect(svg).toContain(`<title id="${id}-title">${title}`);
    expect(svg).toMatch(new RegExp(`<desc id="${id}-text">[^<]{10,}</desc>`));
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  }
});

it('draws the largest bars, first the largest, and says how many there are', () => {
  const [figure] = figuresOf(answer('flow', many));
  expect(figure!.svg).toContain('the 30 largest of 40');
  const drawn = [...figure!.svg.matchAll(/data-name="([^"]+)"/g)].map(([, name]) => name);
  expect(drawn).toHaveLength(30);
  expect(drawn[0]).toBe('input-&gt;a0.h0');
});

it('draws what a patch changed, not the metric after it', () => {
  expect(figuresOf(answer('edge-patch', [{ name: 'a0.h0->a1.h0', value: 1.5 }]))[0]!.svg).toContain('−0.500');
});

it('draws wide ranges in powers of ten', () => {
  const [error] = figuresOf(
    answer(
      'naive-expansion',
      [1, 100, 1e6].map((relativeError, degree) => ({ name: '', degree, relativeError })),
    ),
  );
  expect(error!.svg).toContain('>1000000</text>');
  expect(error!.svg).toContain('>1</text>');
});

it('makes a matrix of few heads, and bars of many', () => {
  const pairs = (count: number) => Array.from({ length: count }, (_, from) => ({ name: `a0.h${from}->a1.h0`, q: from, k: 0, v: 0 }));
  expect(figuresOf(answer('composition', pairs(3)))[0]!.svg).toContain('writes');
  expect(figuresOf(answer('composition', pairs(60)))[0]!.svg).toContain('the 30 largest of 60');
});

it('leaves out patterns that would be too fine to see, and names tokens as text', () => {
  const square = (size: number) => Array.from({ length: size }, () => Array.from({ length: size }, () => 1 / size));
  expect(figuresOf(answer('heads', [{ name: 'a0.h0', pattern: square(200) }]))).toEqual([]);
  const [figure] = figuresOf(answer('heads', [{ name: 'a0.h0', pattern: square(2) }]));
  expect(figure!.svg).toContain('0 &lt;b&gt;');
  expect(figure!.svg).toContain('a0.h0@1&lt;-0');
});

it('draws nothing where there is nothing to draw', () => {
  expect(figuresOf(answer('concentration', [{ name: 'head', n50: 3 }]))).toEqual([]);
  expect(figuresOf(answer('flow', []))).toEqual([]);
});
