import { describe, expect, it } from 'vitest';
import type { Answer, Term } from '../engine/index.ts';
import { compositionFigure, compositionTable, excessOf, pairsAbove } from './composition.ts';
import { headPlace, headScoresFigure, headTable, patternFigure, patternRows } from './heads.ts';
import { blocksOf, byOrder, interactionsFigure, interactionTable } from './interactions.ts';

const answerOf = (terms: Term[], more: Partial<Answer> = {}) => ({ terms, foil: 1, notes: [], ...more }) as Answer;

describe('heads', () => {
  const answer = answerOf([
    { name: 'a0.h0', previous: 0.5, duplicate: null, induction: null },
    { name: 'a0.h1', previous: 0.25, duplicate: null, induction: null },
    { name: 'a1.h0', previous: 0, duplicate: null, induction: null },
    { name: 'a1.h1', previous: 1, duplicate: null, induction: null },
  ]);

  it('are laid out by layer and head', () => {
    const { layers, heads, score } = headTable(answer);
    expect([layers, heads, score('previous', 1, 1), score('induction', 1, 1), score('previous', 2, 0)]).toEqual([2, 2, 1, null, null]);
    expect([headPlace('a10.h3'), headPlace('m0'), headPlace('a1.h0->logits')]).toEqual([{ layer: 10, head: 3 }, null, null]);
  });

  it('are drawn for the scores that the prompt has', () => {
    const svg = headScoresFigure(answer);
    expect(svg).toContain('Attention to the previous token');
    expect(svg).not.toContain('Attention to what followed');
    expect(svg).toContain('a1.h1 1.000');
    expect(svg).toContain('<desc id="heads-figure-text">');
  });

  it('have patterns whose entries are causal and whose tokens are named', () => {
    const pattern = { length: 2, weights: Float32Array.from([1, 0, 0.25, 0.75]) };
    expect(patternRows(pattern, ['A', ' b'])).toEqual([
      { query: 0, queryText: 'A', key: 0, keyText: 'A', weight: 1 },
      { query: 1, queryText: ' b', key: 0, keyText: 'A', weight: 0.25 },
      { query: 1, queryText: ' b', key: 1, keyText: ' b', weight: 0.75 },
    ]);
    const svg = patternFigure('a0.h1', 'Attention pattern of a0.h1', pattern, ['A', ' b']);
    expect(svg).toContain('data-name="a0.h1@1&lt;-0"');
    expect(svg).not.toContain('@0&lt;-1');
    expect(svg).toContain('1 ·b');
  });
});

describe('composition', () => {
  const answer = answerOf(
    [
      { name: 'a0.h1->a1.h0', q: 0.5, k: 0.1, v: null },
      { name: 'a0.h0->a1.h0', q: 0.1, k: 0.1, v: 0.1 },
    ],
    {
      baseline: { q: { mean: 0.1, deviation: 0.1 }, k: { mean: 0.1, deviation: 0.1 }, v: { mean: 0.1, deviation: 0 } },
    },
  );

  it('is a table of who writes by who reads, in the order of layers and heads', () => {
    const table = compositionTable(answer);
    expect([table.writers, table.readers]).toEqual([['a0.h0', 'a0.h1'], ['a1.h0']]);
    expect(table.term('a0.h1', 'a1.h0')?.q).toBe(0.5);
    expect(table.term('a1.h0', 'a0.h1')).toBeNull();
  });

  it('is compared with random heads', () => {
    expect(excessOf(0.5, 'q', answer)).toBeCloseTo(4);
    expect([excessOf(null, 'v', answer), excessOf(0.2, 'v', answer)]).toEqual([null, null]);
    expect(pairsAbove(answer, 3).map(({ name }) => name)).toEqual(['a0.h1->a1.h0']);
    expect(pairsAbove(answer, null)).toHaveLength(2);
    expect(compositionFigure(answer)).toContain('(random 0.100 ± 0.100)');
  });

  it('is a list where a matrix would be too large', () => {
    const many = Array.from({ length: 60 }, (_, head) => ({ name: `a0.h${head}->a1.h0`, q: head / 60, k: 0, v: 0 }));
    expect(compositionFigure(answerOf(many))).toContain('the 30 largest of 60');
  });
});

describe('interactions', () => {
  const answer = answerOf([
    { name: '{}', degree: 0, value: 1 },
    { name: '{a0}', degree: 1, value: -2 },
    { name: '{m0}', degree: 1, value: 0.5 },
    { name: '{a1}', degree: 1, value: 0.25 },
    { name: '{m0,a1}', degree: 2, value: 4 },
    { name: '{a0,m0,a1}', degree: 3, value: -1 },
  ]);

  it('know their blocks, attention of a layer before its MLP', () => {
    expect(blocksOf({ name: '{}' })).toEqual([]);
    expect(blocksOf({ name: '{a0+m0,a1+m1}' })).toEqual(['a0+m0', 'a1+m1']);
    const { blocks, pair } = interactionTable(answer);
    expect(blocks).toEqual(['a0', 'm0', 'a1']);
    expect([pair('a1', 'm0')?.value, pair('a0', 'a0')?.value, pair('a0', 'm0')]).toEqual([4, -2, null]);
  });

  it('are added up by order', () => {
    expect(byOrder(answer)).toEqual([
      { order: 0, value: 1, mass: 1, sets: 1 },
      { order: 1, value: -1.25, mass: 2.75, sets: 3 },
      { order: 2, value: 4, mass: 4, sets: 1 },
      { order: 3, value: -1, mass: 1, sets: 1 },
    ]);
  });

  it('are drawn with two colours for their sign', () => {
    const svg = interactionsFigure(answer);
    expect(svg).toContain('−4.000 to 4.000 logit difference (logits)');
    expect(svg).toMatch(/data-name="{a0}"[^>]*--negative/);
    expect(svg).toMatch(/data-name="{m0,a1}"[^>]*--positive/);
  });
});
