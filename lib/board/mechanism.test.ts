import { expect, test } from 'vitest';
import { changesSince, parentsOf, readMembers, testable } from './mechanism.ts';

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
  ];
  const read = readMembers(members);
  expect(read).toEqual({
    paths: ['a1.h0->logits', 'input->a1.h10->logits'],
    covered: ['input->a0.h1->a1.h0->logits', 'a0.h0->a1.h0->logits'],
    slotted: ['a0.h0->a1.h0<q>', 'input->a0.h0<v>->logits'],
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
