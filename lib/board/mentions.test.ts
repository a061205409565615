import { expect, it } from 'vitest';
import { partsOf } from './mentions.ts';

it('finds code and names, with and without backticks', () => {
  expect(partsOf('see `input->a0.h1->logits`, a1.h0 and `x = 1`')).toEqual([
    { kind: 'text', text: 'see ' },
    { kind: 'anchor', text: 'input->a0.h1->logits' },
    { kind: 'text', text: ', ' },
    { kind: 'anchor', text: 'a1.h0' },
    { kind: 'text', text: ' and ' },
    { kind: 'code', text: 'x = 1' },
  ]);
  expect(partsOf('a0.h0->a1.h0<q>->logits.')).toEqual([
    { kind: 'anchor', text: 'a0.h0->a1.h0<q>->logits' },
    { kind: 'text', text: '.' },
  ]);
});

it('leaves words, arrows and unfinished code as text', () => {
  for (const body of ['the input goes -> there', 'a `b', 'xa1.h0y', '']) {
    expect(partsOf(body).every((part) => part.kind === 'text')).toBe(true);
    expect(
      partsOf(body)
        .map((part) => part.text)
        .join(''),
    ).toBe(body);
  }
});
