import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnalyzeRequest } from '../lib/engine/index.ts';
import { compareAnswers } from './run-comparison.ts';
import { canonical, environmentOf, requestKey, runKey } from './run-key.ts';
import { answerTo } from './testing/fake-engine.ts';

const request: AnalyzeRequest = { view: 'paths', model: 'toy', prompt: 'When Mary', top: 10 };
const answer = answerTo(request);

test('canonical JSON forgets the order of keys and absent fields, and nothing else', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const shuffled = Object.fromEntries(Object.entries(value).toReversed());
      expect(canonical({ ...shuffled, absent: undefined })).toBe(canonical(value));
      expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { seed: 5 },
  );
});

test('the same question in other words has the same key', () => {
  const words: AnalyzeRequest[] = [
    { view: 'paths', model: 'alias', tokens: [1, 2, 3], target: '7', foil: ' John', position: 2, top: 10, special: false },
  ];
  for (const other of words) expect(runKey(other, answer)).toBe(runKey(request, answer));
});

test.each<[string, Partial<AnalyzeRequest>, Partial<typeof answer>]>([
  ['parameters', { top: 11 }, {}],
  ['tokens', {}, { tokens: [1, 2, 4] }],
  ['target', {}, { target: 9 }],
  ['foil', {}, { foil: null }],
  ['model', {}, { model: { name: 'toy', hash: 'beef' } }],
  ['engine version', {}, { engineVersion: '0.0.1' }],
  ['provider', {}, { backend: { engine: 'fake', provider: 'cuda', dtype: 'float32' } }],
  ['dtype', {}, { backend: { engine: 'fake', provider: 'cpu', dtype: 'float16' } }],
])('another key for other %s', (_, asked, came) => {
  expect(runKey({ ...request, ...asked }, { ...answer, ...came })).not.toBe(runKey(request, answer));
});

test('the examples of a prompt set are told apart by what they came out as', () => {
  const example = { tokens: [1, 2, 3], target: 7, foil: 8, metric: 2 };
  const ofSet = (asked: Partial<AnalyzeRequest>, ...tokens: number[][]) =>
    runKey({ view: 'degrees', model: 'toy', ...asked }, { ...answer, examples: tokens.map((own) => ({ ...example, tokens: own })) });
  const asTexts = ofSet({ prompts: { examples: [{ clean: 'a' }, { clean: 'b' }] } }, [1], [2]);
  expect(ofSet({ prompts: { examples: [{ clean: [1] }, { clean: [2] }] } }, [1], [2])).toBe(asTexts);
  expect(ofSet({ prompts: { examples: [{ clean: 'a' }, { clean: 'b' }] }, special: false }, [1], [3])).not.toBe(asTexts);
});

test('the key of a request knows the model by its hash', () => {
  const environment = environmentOf(answer);
  expect(requestKey(request, 'f00d', environment)).toBe(requestKey({ ...request, model: 'renamed' }, 'f00d', environment));
  expect(requestKey(request, 'beef', environment)).not.toBe(requestKey(request, 'f00d', environment));
});

test('two executions agree within a ten-thousandth of the largest magnitude', () => {
  expect(compareAnswers(answer, answerTo(request, 1e-4))).toMatchObject({ agrees: true });
  const off = compareAnswers(answer, answerTo(request, 1e-3));
  expect(off.agrees).toBe(false);
  expect(off.maxDifference).toBeCloseTo(1e-3, 9);
});

test('a list with other terms at its end agrees, a disjoint one does not', () => {
  expect(compareAnswers(answer, { ...answer, terms: answer.terms.slice(0, 2) }).agrees).toBe(true);
  expect(compareAnswers(answer, { ...answer, terms: [{ name: 'm0', value: 1 }] }).agrees).toBe(false);
  expect(compareAnswers(answer, { ...answer, target: 9 }).agrees).toBe(false);
});

test('every number of a term is compared', () => {
  const ofHead = (previous: number | null) => ({ ...answer, terms: [{ name: 'a0.h0', previous }] });
  expect(compareAnswers(ofHead(0.5), ofHead(0.50001)).agrees).toBe(true);
  expect(compareAnswers(ofHead(0.5), ofHead(0.6)).agrees).toBe(false);
  expect(compareAnswers(ofHead(null), ofHead(null)).agrees).toBe(true);
});
