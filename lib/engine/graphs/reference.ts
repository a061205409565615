import { GraphBuilder, type Graph } from '../onnx.ts';
import { sourceRows, type ModelSpec } from '../spec.ts';

/** One step of a mean over runs: `total` + `weight` · `next`, both [N, S, d], as `sum`; `weight` is [1]. */
export function weightedSumGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('weighted-sum');
  const dims = [sourceRows(spec).size, 'S', spec.dModel];
  const scaled = g.op('Mul', [g.input('next', 'float32', dims), g.input('weight', 'float32', [1])]);
  g.output('sum', g.op('Add', [g.input('total', 'float32', dims), scaled]), 'float32', dims);
  return g.finish();
}
