import { GraphBuilder, type Graph } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';

/**
 * Weighted sums of attention patterns.
 * Feeds `patterns` [L, H, S, S], `weights` [n, S, S]; gives `scores` [L, H, n].
 */
export function headScoresGraph({ layers, heads }: ModelSpec): Graph {
  const g = new GraphBuilder('head-scores');
  const patterns = g.op('Flatten', [g.input('patterns', 'float32', [layers, heads, 'S', 'S'])], { axis: 2 });
  const weights = g.op('Flatten', [g.input('weights', 'float32', ['n', 'S', 'S'])], { axis: 1 });
  const scores = g.op('Gemm', [patterns, weights], { transB: 1 });
  g.output('scores', g.op('Reshape', [scores, g.ints([layers, heads, -1])]), 'float32', [layers, heads, 'n']);
  return g.finish();
}

/** The pattern of a virtual head [M20]. Feeds `first`, `second` [S, S]; gives `product` [S, S] = second·first. */
export function patternProductGraph(): Graph {
  const g = new GraphBuilder('pattern-product');
  const first = g.input('first', 'float32', ['S', 'S']);
  g.output('product', g.op('MatMul', [g.input('second', 'float32', ['S', 'S']), first]), 'float32', ['S', 'S']);
  return g.finish();
}
