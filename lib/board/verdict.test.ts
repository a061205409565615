import { expect, test } from 'vitest';
import type { Answer, Term, View } from '../engine/index.ts';
import { verdictOf } from './verdict.ts';

function answer(view: View, terms: Term[], more: Partial<Answer> = {}): Answer {
  return {
    view,
    kind: view === 'path-effect' || view === 'ablate' ? 'causal' : 'identity',
    engineVersion: '0.0.0',
    model: { name: 'toy', hash: 'f00d' },
    backend: { engine: 'fake', provider: 'cpu', dtype: 'float32' },
    reference: null,
    tokens: [1],
    position: 0,
    target: 1,
    foil: 2,
    metric: 2,
    terms,
    notes: [],
    elapsedMs: 0,
    ...more,
  };
}

const degrees = answer(
  'degrees',
  [
    { name: '0', degree: 0, value: -0.5 },
    { name: '1', degree: 1, value: 2.25 },
    { name: '2', degree: 2, value: 0.25 },
  ],
  { remainder: 0, error: 1e-6 },
);
const cut = answer('degrees', degrees.terms.slice(0, 2), { remainder: 0.25, error: 1e-7 });
const paths = answer(
  'paths',
  [
    { name: 'input->a0.h0->logits', degree: 1, value: 3 },
    { name: 'input->logits', degree: 0, value: -1.5 },
  ],
  { remainder: 0.5, error: 2e-6, search: 'exhaustive' },
);
const wholePaths = answer('paths', [...paths.terms, { name: 'input->a0.h0->a1.h0->logits', degree: 2, value: 0.5 }], { remainder: 0 });
const effect = answer('path-effect', [{ name: 'input->a0.h0->logits', value: -0.75 }], {
  joint: { names: ['input->a0.h0->logits', 'input->logits'], value: -2.5 },
});
const ablation = answer('ablate', [{ name: 'a0.h0', value: 0.5 }]);
const patched = answer('edge-patch', [{ name: 'a0.h0->logits', value: 1.25 }]);
const flow = answer('flow', [
  { name: 'input->logits', value: 1.5 },
  { name: 'a0.h0->logits', value: 0.5 },
]);
const unit = answer('units', [{ name: 'm0', value: 0.5 }], { whole: { name: 'input->m0->logits', value: 0.75 } });
const weights = answer('composition', [{ name: 'a0.h0->a1.h0', q: 0.1 }], { kind: 'weights', metric: null, position: null, target: null });
const tested = answer(
  'path-effect',
  [
    { name: 'input->a0.h0->logits', degree: 1, value: -0.5 },
    { name: 'input->a0.h1->logits', degree: 1, value: -0.25 },
    ...Array.from({ length: 10 }, (_, index) => ({ name: `input->a1.h${index}->logits`, degree: 1, value: index / 20 })),
    { name: 'together', value: -1.5 },
  ],
  { joint: { names: ['input->a0.h0->logits', 'input->a0.h1->logits'], value: -1.5 } },
);
const strays = answer('path-effect', [...tested.terms.slice(0, 11), { name: 'input->logits', degree: 0, value: 0 }]);
const cancelling = answer(
  'ablate',
  [
    { name: 'a0.h0', value: 3 },
    { name: 'a0.h1', value: 1 },
  ],
  { joint: { names: ['a0.h0', 'a0.h1'], value: 2 } },
);
const repair = answer('repair', [
  { name: 'a0.h0', real: 0.5, frozen: 1, compensation: 0.5 },
  { name: 'a0.h1', real: 0, frozen: 0, compensation: null },
]);
const blocks = answer('interactions', [{ name: '{}', degree: 0, value: 2 }], {
  defects: [
    { name: 'm0', live: 0.25, frozenScale: 0.1 },
    { name: 'a1', live: null, frozenScale: null },
    { name: 'm1', live: 0.5, frozenScale: 0.5 },
  ],
});
const naive = answer(
  'naive-expansion',
  [0.9, 1.25, 3].map((relativeError, degree) => ({ name: String(degree), degree, norm: 1, relativeError })),
  { settings: { maxDegree: 2, blocks: 2 } },
);
const naiveCut = answer('naive-expansion', naive.terms, { settings: { maxDegree: 2, blocks: 8 } });
const orders = answer(
  'orders',
  [5, 3, 2.5].map((value, degree) => ({ name: String(degree), degree, value })),
  { settings: { lastDegree: 2 } },
);
const ordersCut = answer('orders', orders.terms.slice(0, 2), { settings: { lastDegree: 2 } });
const scrubbed = answer('scrub', [
  { name: '1', value: 0.5 },
  { name: 'mean', value: 0.75 },
]);
const direct = answer('direct', [
  { name: 'a0.h0', value: 1.5 },
  { name: 'input', value: 0.5 },
]);

test.each<[string, Answer[], 'holds' | 'fails', number]>([
  ['share(degree <= 1) >= 0.85', [degrees], 'holds', 0.875],
  ['share(degree <= 1) >= 0.9', [degrees], 'fails', 0.875],
  ['share(degree >= 1) > 1', [degrees], 'holds', 1.25],
  ['share(degree = 2) < 0.2', [degrees], 'holds', 0.125],
  ['mass(degree <= 1) > 0.9', [degrees], 'holds', 2.75 / 3],
  ['share(degree <= 1) >= 0.85', [cut], 'holds', 0.875],
  ['share(degree >= 1) > 1', [cut], 'holds', 1.25],
  ['share("input->a0.h0->logits") > 1', [paths], 'holds', 1.5],
  ['share("input->a0.h0->logits", "input->logits") > 1', [paths], 'fails', 0.75],
  ['mass("input->a0.h0->logits") > 0.5', [wholePaths], 'holds', 0.6],
  ['share("a0.h0") > 0.5', [direct], 'holds', 0.75],
  ['effect("input->a0.h0->logits") < -0.5', [effect], 'holds', -0.75],
  ['effect("input->logits", "input->a0.h0->logits") < -2', [effect], 'holds', -2.5],
  ['effect("a0.h0") < -1', [ablation], 'holds', -1.5],
  ['effect("a0.h0->logits") < -0.5', [patched], 'holds', -0.75],
  ['share("a0.h0->logits") >= 0.25', [flow], 'holds', 0.25],
  ['metric > 1', [degrees, effect], 'holds', 2],
  ['error < 1e-5', [degrees, paths, effect], 'holds', 2e-6],
  ['effect("a0.h0") < -1', [degrees, effect, ablation], 'holds', -1.5],
  ['magnitude("a0.h0") > 1', [ablation], 'holds', 1.5],
  ['quantile("input->a0.h0->logits") >= 0.95', [tested], 'holds', 1],
  ['quantile("input->a0.h1->logits") >= 0.95', [tested], 'fails', 5 / 11],
  ['interaction("input->a0.h1->logits", "input->a0.h0->logits") < -0.5', [tested], 'holds', -0.75],
  ['redundancy("input->a0.h1->logits", "input->a0.h0->logits") >= 0.5', [tested], 'holds', 0.5],
  ['interaction("a0.h0", "a0.h1") < 0', [cancelling], 'fails', 0],
  ['compensation("a0.h0") >= 0.3', [ablation, repair], 'holds', 0.5],
  ['recovered >= 0.7', [degrees, scrubbed], 'holds', 0.75],
  ['defect(max) < 0.4', [blocks], 'fails', 0.5],
  ['defect("m0") < 0.4', [blocks], 'holds', 0.25],
  ['naive(degree <= 1) < 1', [naive], 'fails', 1.25],
  ['naive(degree <= 9) > 1', [naive], 'holds', 3],
  ['loss(degree <= 1) < 4', [orders], 'holds', 3],
  ['loss(degree > 1) < 0.4', [orders], 'fails', 0.5],
  ['loss(degree > 7) < 0.4', [orders], 'holds', 0],
  ['loss(degree <= 1) < 4', [ordersCut], 'holds', 3],
  ['naive(degree <= 1) < 1 and defect(max) < 1', [naive, blocks], 'fails', 1.25],
  ['naive(degree <= 1) < 2 and defect(max) < 0.1', [naive, blocks], 'fails', 0.5],
  ['naive(degree <= 1) < 2 and defect(max) < 1', [naive, blocks], 'holds', 1.25],
  ['recovered > 1 and defect(max) < 0.1', [blocks], 'fails', 0.5],
])('%s of the runs %#', (predicate, answers, value, left) => {
  const verdict = verdictOf(predicate, answers);
  expect(verdict.value).toBe(value);
  expect(verdict.left).toBeCloseTo(left, 12);
});

test.each<[string, Answer[], string]>([
  ['metric > 1', [], 'there is no run'],
  ['share(degree = 2) < 0.2', [cut], 'the degrees run lists degrees up to 1 alone'],
  ['share(degree <= 4) < 0.2', [cut], 'the degrees run lists degrees up to 1 alone'],
  ['share(degree = 9) < 0.2', [degrees], 'the degrees run has no term of degree = 9'],
  ['mass(degree <= 1) > 0.9', [cut], 'leaves terms unlisted'],
  ['share(degree <= 1) > 0.9', [paths], 'of which the degrees are unknown'],
  ['share(degree <= 1) > 0.9', [direct], 'does not tell degrees apart'],
  ['mass("input->logits") > 0.1', [paths], 'leaves terms unlisted'],
  ['share("input->m0->logits") > 0.1', [paths, degrees], 'does not list input->m0->logits'],
  ['share("input->a0.h0->logits", "a0.h0->logits") > 0.1', [paths], 'is already counted'],
  ['share("input->logits") > 0', [answer('paths', paths.terms, { metric: 0 })], 'has metric 0'],
  ['share("input->a0.h0->logits") > 0', [effect], 'no parts of a sum'],
  ['effect("input->logits") < 0', [effect], 'does not test input->logits'],
  ['effect("input->logits") < 0', [paths], 'is no causal test'],
  ['error < 1', [effect], 'no run is an identity'],
  ['metric > 1', [degrees, answer('paths', [], { metric: 3 })], 'different metrics'],
  ['metric > 1', [degrees, weights], 'the composition run is of weights alone and has no metric'],
  ['mass("a0.h0->logits") > 0.1', [flow], 'have paths in common'],
  ['share("a0.h0->logits", "input->logits") > 0.1', [flow], 'have paths in common'],
  ['quantile("input->a0.h0->logits") > 0', [effect], 'has 0 other paths, at least 10 are needed'],
  ['quantile("input->a0.h0->logits") > 0', [strays], 'compares with input->logits, a path of another degree'],
  ['quantile("m0") > 0', [tested], 'does not test m0'],
  ['interaction("input->logits", "input->a0.h0->logits") < 0', [effect], 'does not test input->logits'],
  ['redundancy("a0.h0", "a0.h2") < 0', [cancelling], 'does not test a0.h0 with a0.h2'],
  ['compensation("a0.h1") < 0', [repair], 'nothing can be made up for'],
  ['compensation("a0.h2") < 0', [repair], 'does not ablate a0.h2'],
  ['recovered > 0', [answer('scrub', [{ name: 'mean' }])], 'lose the same'],
  ['defect("a1") < 1', [blocks], 'writes the same whatever it reads'],
  ['defect(max) < 1', [degrees], 'has no additivity defects'],
  ['naive(degree <= 4) > 1', [naiveCut], 'does not go up to degree 4'],
  ['loss(degree > 1) < 1', [ordersCut], 'leaves out its highest degrees'],
  ['loss(degree <= 5) < 1', [ordersCut], 'does not go up to degree 5'],
  ['metric > 1 and recovered > 0', [degrees], 'scrubs nothing'],
  ['share("m0") > 0.1', [unit], 'are parts of input->m0->logits, not of the metric'],
])('%s is not tested by the runs %#: %s', (predicate, answers, why) => {
  const verdict = verdictOf(predicate, answers);
  expect(verdict).toMatchObject({ value: 'not tested', left: null });
  expect(verdict.why).toContain(why);
});
