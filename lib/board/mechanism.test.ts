import { expect, test } from 'vitest';
import type { Answer } from '../engine/index.ts';
import { changesSince, flowOfPlaces, parentsOf, readMembers, testable } from './mechanism.ts';

test('a path inside a listed suffix is covered by it, whatever the order', () => {
  const members = [
    'input->a0.h1->a1.h0->logits',
    'a1.h0->logits',
    'a0.h0->a1.h0->logits',
    'input->a1.h10->logits',
    'a0.h0->a1.h0<q>',
    'input->a0.h0<v>->logits',
    'a0.h0->a1.h1',
    'm0',
    'm0',
    'a1.h0@4',
    'a0.h1@2->a1.h0@4',
  ];
  const read = readMembers(members);
  expect(read).toEqual({
    paths: ['a1.h0->logits', 'input->a1.h10->logits'],
    covered: ['input->a0.h1->a1.h0->logits', 'a0.h0->a1.h0->logits'],
    slotted: ['a0.h0->a1.h0<q>', 'input->a0.h0<v>->logits'],
    placed: ['a1.h0@4', 'a0.h1@2->a1.h0@4'],
    edges: ['a0.h0->a1.h1'],
    nodes: ['m0'],
  });
  expect(readMembers(members.toReversed()).covered).toHaveLength(2);
});

test('the suffixes to open are those that list the paths', () => {
  expect(parentsOf(['a1.h0->logits', 'input->logits', 'input->a0.h0->a1.h0->logits'])).toEqual(['logits', 'a0.h0->a1.h0->logits']);
});

test('a bias is no member that a causal test can change', () => {
  const members = readMembers(['a0.b->logits', 'input->logits', 'm0.b->a1.h0', 'm0->a1.h0<k>', 'a0.b', 'a0.h0', 'logits']);
  expect(testable(members)).toEqual({ paths: ['input->logits'], edges: ['m0->a1.h0<k>'], nodes: ['a0.h0'] });
});

test('what changed since is what was added and removed', () => {
  expect(changesSince(['a', 'b'], ['b', 'c'])).toEqual({ added: ['c'], removed: ['a'] });
});

test('places add up where no path goes through two of them', () => {
  const answer = {
    through: [
      { name: 'a1.h0@4', value: 1 },
      { name: 'a1.h1@4', value: 0.5 },
      { name: 'a0.h2@5', value: -2 },
      { name: 'a0.h1@3', value: 4 },
      { name: 'logits', value: 3 },
    ],
  } as unknown as Answer;
  expect(flowOfPlaces(['a1.h0@4', 'a1.h1@4', 'a0.h2@5'], answer)).toEqual({ exact: true, value: -0.5 });
  expect(flowOfPlaces(['a1.h0@4', 'a0.h1@3'], answer)).toEqual({ exact: false, shared: ['a1.h0@4', 'a0.h1@3'] });
  expect(flowOfPlaces(['a0.h2@5', 'logits'], answer)).toMatchObject({ exact: false });
  expect(flowOfPlaces(['a1.h7@4'], answer)).toBeNull();
});
