import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proposalsOf } from '../../lib/board/proposals.ts';
import { verdictOf } from '../../lib/board/verdict.ts';
import { analyze, type TokenRequest } from '../../lib/engine/index.ts';
import { FIXTURES, loadModel, noControl } from './testing.ts';

const REQUESTS: Omit<TokenRequest, 'model'>[] = [
  { view: 'degrees' },
  { view: 'paths', top: 20 },
  { view: 'suffixes' },
  { view: 'direct' },
  { view: 'flow' },
  { view: 'path-effect', paths: ['input->a0.h0->logits', 'input->a1.h1->logits'], together: true },
  { view: 'ablate', ablate: ['a0.h0', 'm1'], together: true },
  { view: 'edge-patch', edges: ['a0.h0->m1'] },
  { view: 'repair', ablate: ['a0.h0'] },
  { view: 'scrub', paths: ['input->a0.h0->logits'], ablation: 'counterfactual' },
  { view: 'interactions' },
  { view: 'naive-expansion' },
  { view: 'orders' },
  { view: 'logits' },
];

test('what is proposed for an answer holds for it, and there is something for each that can be evidence', async () => {
  const model = await loadModel(join(FIXTURES, 'random-lens-mlp'));
  for (const request of REQUESTS) {
    const answer = await analyze(
      model,
      { model: 'random-lens-mlp', tokens: [3, 1, 4, 1, 5], counterfactualTokens: [2, 7, 4, 8, 5], ...request },
      noControl,
    );
    const proposed = proposalsOf(answer);
    expect(proposed, request.view).not.toEqual([]);
    for (const predicate of proposed) expect(verdictOf(predicate, [answer]).value, `${request.view}: ${predicate}`).toBe('holds');
  }
  await model.close();
});

test('nothing is proposed for what no predicate reads', async () => {
  const model = await loadModel(join(FIXTURES, 'random-lens-mlp'));
  const answer = await analyze(model, { model: 'random-lens-mlp', view: 'composition' }, noControl);
  await model.close();
  expect(proposalsOf(answer)).toEqual([]);
});
