import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isEngineError } from '../engine/index.ts';
import { parsePredicate, printPredicate, type Predicate } from './predicate.ts';

const node = fc.oneof(
  fc.nat(99).map((layer) => `m${layer}`),
  fc.tuple(fc.nat(99), fc.nat(99)).map(([layer, head]) => `a${layer}.h${head}`),
  fc.constantFrom('input', 'logits', 'logits.b', 'a0.b', 'm3.b'),
);
const name = fc.oneof(
  node,
  fc.tuple(node, fc.array(node, { minLength: 1, maxLength: 4 })).map(([first, rest]) => [first, ...rest].join('->')),
  fc.constant('input->a1.h0<q>->logits'),
);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 4 });
const terms = fc.oneof(
  fc.record({ of: fc.constant('degree' as const), comparison: fc.constantFrom('<', '<=', '=', '>=', '>'), degree: fc.nat(1000) }),
  fc.record({ of: fc.constant('names' as const), names }),
);
const pair = fc.uniqueArray(name, { minLength: 2, maxLength: 2 });
const block = fc.oneof(
  fc.constant(null),
  fc.nat(99).map((layer) => `a${layer}`),
  fc.nat(99).map((layer) => `m${layer}`),
  fc.nat(99).map((layer) => `a${layer}+m${layer}`),
);
const quantity = fc.oneof(
  fc.record({ kind: fc.constantFrom('share', 'mass'), terms }),
  fc.record({ kind: fc.constantFrom('effect', 'magnitude'), names }),
  fc.record({ kind: fc.constantFrom('interaction', 'redundancy'), pair }),
  fc.record({ kind: fc.constantFrom('quantile', 'compensation'), name }),
  fc.record({ kind: fc.constant('defect' as const), block }),
  fc.record({ kind: fc.constant('naive' as const), degree: fc.nat(1000) }),
  fc.record({ kind: fc.constant('loss' as const), comparison: fc.constantFrom('<=', '>'), degree: fc.nat(1000) }),
  fc.record({ kind: fc.constantFrom('metric', 'error', 'recovered') }),
);
const right = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
const one = fc.record({ quantity, comparison: fc.constantFrom('<', '<=', '>', '>='), right });
const predicate = fc.array(one, { minLength: 1, maxLength: 3 }).map((tests) => ({ tests })) as fc.Arbitrary<Predicate>;

test('what is printed parses to the same predicate', () => {
  fc.assert(
    fc.property(predicate, (made) => {
      expect(parsePredicate(printPredicate(made))).toEqual(made);
    }),
    { seed: 7 },
  );
});

test('parsing fails in no other way than by saying where', () => {
  const broken = predicate.map(printPredicate).map((text) => text.slice(0, -3) + text.slice(4, 6));
  fc.assert(
    fc.property(fc.oneof(fc.string(), broken), (text) => {
      expect(failureOf(text)).toSatisfy((where) => where === null || /^predicate, column \d+$/.test(where));
    }),
    { seed: 7 },
  );
});

function failureOf(text: string): string | null {
  try {
    parsePredicate(text);
    return null;
  } catch (error) {
    return isEngineError(error) ? error.where : String(error);
  }
}

test.each([
  'share(degree <= 3) >= 0.95',
  'mass(degree <= 2) > 0.9',
  'share("input->logits", "input->a0.h0->logits") > 0.5',
  'error < 0.0001',
  'metric > 1',
  'effect("input->a0.h1->logits") < -0.5',
  'defect(max) < 0.01',
  'defect("a0+m0") < 0.01',
  'naive(degree <= 3) < 0.01 and defect("m1") < 0.01 and error < 0.001',
  'quantile("input->a0.h1->logits") >= 0.95 and magnitude("input->a0.h1->logits") > 0.1',
  'interaction("a0.h0", "a0.h1") < -0.1',
  'redundancy("a0.h0", "a0.h1") >= 0.5',
  'compensation("a0.h1") >= 0.3',
  'loss(degree > 2) < 0.05 and loss(degree <= 2) < 4',
  'recovered >= 0.9',
])('%s reads as it is written', (text) => {
  expect(printPredicate(parsePredicate(text))).toBe(text);
});

test('spaces and exponents are free', () => {
  expect(printPredicate(parsePredicate(' error<1E-4 '))).toBe('error < 0.0001');
  expect(printPredicate(parsePredicate('metric >= -.5e1'))).toBe('metric >= -5');
});

test.each([
  [
    '',
    'column 1: expected share, mass, metric, error, effect, magnitude, quantile, interaction, redundancy, compensation, recovered, defect, naive or loss, got the end',
  ],
  [
    'shar(degree < 1) > 0',
    'column 1: expected share, mass, metric, error, effect, magnitude, quantile, interaction, redundancy, compensation, recovered, defect, naive or loss, got "shar"',
  ],
  [
    'share(degree != 1) > 0',
    'column 14: expected a word, a number, a name in double quotes, a comparison, a bracket or a comma, got "!= 1) > 0"',
  ],
  ['share(degree <= 1.5) > 0', 'column 17: expected a whole number from 0, got 1.5'],
  ['share(depth < 1) > 0', 'column 7: expected degree or a name in double quotes, got "depth"'],
  ['metric = 1', 'column 8: expected < or <= or > or >=, got "="'],
  ['metric > 1 2', 'column 12: expected nothing after the number, or and, got "2"'],
  [
    'metric > 1 and',
    'column 15: expected share, mass, metric, error, effect, magnitude, quantile, interaction, redundancy, compensation, recovered, defect, naive or loss, got the end',
  ],
  ['defect(min) < 1', 'column 8: expected max or a block in double quotes, got "min"'],
  ['defect("a0+m1") < 1', 'column 8: expected a block: a0, m0 or a0+m0, got "a0+m1"'],
  ['naive(degree > 1) < 1', 'column 14: expected <=, got ">"'],
  ['loss(degree = 1) < 1', 'column 13: expected <= or >, got "="'],
  ['loss("m0") < 1', 'column 6: expected degree, got "\\"m0\\""'],
  ['interaction("m0") < 1', 'column 13: expected two names, got one'],
  ['interaction("m0", "m1", "m2") < 1', 'column 13: expected two names, got more'],
  ['metric >', 'column 9: expected a number, got the end'],
  ['effect("a0.h") > 0', 'column 8: expected input, a0.h0, a0.b, m0, m0.b, logits.b or logits, got "a0.h"'],
  ['share("m0", "m0") > 0', 'column 13: expected each name once, got "m0"'],
  ['effect("m0) > 0', 'column 8: expected a word, a number, a name in double quotes, a comparison, a bracket or a comma, got "\\"m0) > 0"'],
])('%j is refused: %s', (text, message) => {
  expect(() => parsePredicate(text)).toThrow(`predicate, ${message}`);
});
