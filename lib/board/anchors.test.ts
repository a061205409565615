import { expect, it } from 'vitest';
import { featureAnchor, isAnchor, isModelAnchor, isNameAnchor, readAnchor } from './anchors.ts';

it('reads what people can point at', () => {
  expect(readAnchor('input->a0.h1->logits')).toEqual({ kind: 'model', name: 'input->a0.h1->logits' });
  expect(readAnchor('m0')).toEqual({ kind: 'model', name: 'm0' });
  for (const name of ['a0.h1@5', 'a0.h1@5->a1.h3@9', 'm0@2->logits', 'm1.b@2->m1@2']) {
    expect(readAnchor(name)).toEqual({ kind: 'model', name });
  }
  const feature = { kind: 'feature', name: 'f2.1041', layer: 2, feature: 1041 };
  expect(readAnchor('f2.1041')).toEqual({ ...feature, dictionary: null });
  expect(readAnchor(featureAnchor('f2.1041', '3fa9c1d2e0'))).toEqual({ ...feature, dictionary: '3fa9c1d2' });
  expect(isModelAnchor('f2.1041')).toBe(false);
  expect(isNameAnchor('f2.1041#3fa9c1d2')).toBe(true);
  expect(readAnchor('token:12')).toEqual({ kind: 'token', position: 12 });
  expect(readAnchor('group:3f2b')).toEqual({ kind: 'group', id: '3f2b' });
  expect(readAnchor('run:r_1')).toEqual({ kind: 'run', id: 'r_1' });
  expect(readAnchor('claim:c-1')).toEqual({ kind: 'claim', id: 'c-1' });
});

it('knows nothing else', () => {
  for (const text of [
    '',
    'token:',
    'token:-1',
    'token:01',
    'token:1.5',
    'group:',
    'group:a b',
    'thread:1',
    'a1.x',
    'input->',
    'f2.error',
    'f2.01',
    'f2.1#',
    'f2.1#3FA9C1D2',
    'f2.1#3fa9c1d',
    'f2.1@3',
    'a0.h0@',
    'a0.h1@5->m0',
    'input@1->m0@1->logits',
  ]) {
    expect(isAnchor(text), text).toBe(false);
  }
  expect(isModelAnchor('token:1')).toBe(false);
  expect(isModelAnchor(`input${'->a0.h0'.repeat(2000)}`)).toBe(false);
});
