import { expect, test } from 'vitest';
import { directPathOf, featurePartOf, pathThrough, type DictionaryPlace } from './feature-paths.ts';

const mlp: DictionaryPlace = { kind: 'mlp-out', layer: 1, hook: 'blocks.1.hook_mlp_out' };
const pre: DictionaryPlace = { kind: 'residual', layer: 1, hook: 'blocks.1.hook_resid_pre' };
const mid: DictionaryPlace = { ...pre, hook: 'blocks.1.hook_resid_mid' };
const post: DictionaryPlace = { ...pre, hook: 'blocks.1.hook_resid_post' };

test('what is split where something is selected', () => {
  expect(pathThrough(mlp, 'm1')).toBe('m1->logits');
  expect(pathThrough(mlp, 'm0')).toBeNull();
  expect(pathThrough(pre, 'm1')).toBeNull();
  expect(pathThrough(mlp, 'logits')).toBe('');
  expect(directPathOf(pre)).toBe('');
  expect(pathThrough(mlp, 'input->a0.h1->m1->logits')).toBe('input->a0.h1->m1->logits');
  for (const other of ['input->a0.h1->logits', 'a0.h1->m1', 'input->m1@3', 'input->a0.h1<q>->m1->logits', 'token:3', 'f1.4', 'group:x1']) {
    expect(pathThrough(mlp, other), other).toBeNull();
  }
});

test('a path crosses a stream, or is a suffix that reads it', () => {
  for (const place of [pre, mid, post]) {
    expect(pathThrough(place, 'input->a1.h0->logits')).not.toBeNull();
    expect(pathThrough(place, 'a2.h0->logits')).toBe('a2.h0->logits');
    expect(pathThrough(place, 'a2.b->logits')).toBeNull();
    expect(pathThrough(place, 'logits.b->logits')).toBeNull();
  }
  const starting = (start: string) => [pre, mid, post].map((place) => pathThrough(place, `${start}->logits`) !== null);
  expect(starting('m0.b')).toEqual([true, true, true]);
  expect(starting('a1.b')).toEqual([false, true, true]);
  expect(starting('m1.b')).toEqual([false, false, true]);
});

test('the feature in a name', () => {
  expect(featurePartOf('input->a0.h1->f1.17->m2->logits')).toBe('f1.17');
  expect(featurePartOf('f1.error->logits')).toBe('f1.error');
  expect(featurePartOf('a0.h1')).toBeNull();
});
