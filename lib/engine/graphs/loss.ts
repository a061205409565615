import { GraphBuilder, type Graph } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * −log softmax(target) of final streams, live, in nats. Feeds `clean` [d], `change` [P, d] and `target` int32 [1];
 * gives `loss` [P] of clean + change.
 */
export function lossGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('loss');
  const blocks = new Blocks(g, spec);
  const clean = g.input('clean', 'float32', [spec.dModel]);
  const change = g.input('change', 'float32', ['P', spec.dModel]);
  const target = g.input('target', 'int32', [1]);
  const logits = blocks.unembed(blocks.norm(g.op('Add', [change, clean]), spec.weights.finalNorm));
  const above = g.op('Sub', [logits, g.op('ReduceMax', [logits, g.ints([1])], { keepdims: 1 })]);
  const mass = g.op('Log', [g.op('ReduceSum', [g.op('Exp', [above]), g.ints([1])], { keepdims: 1 })]);
  const loss = g.op('Sub', [mass, g.op('Gather', [above, target], { axis: 1 })]);
  g.output('loss', g.op('Reshape', [loss, g.ints([-1])]), 'float32', ['P']);
  return g.finish();
}
