import { GraphBuilder, type Graph } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import { Blocks } from './blocks.ts';

/**
 * −log softmax(target) of final streams at one position, live, in nats. Feeds `streams` [P, d], before the final norm,
 * and `target` int32 [1]; gives `loss` [P].
 */
export function lossGraph(spec: ModelSpec): Graph {
  const g = new GraphBuilder('loss');
  const blocks = new Blocks(g, spec);
  const streams = g.input('streams', 'float32', ['P', spec.dModel]);
  const target = g.input('target', 'int32', [1]);
  const logits = blocks.unembed(blocks.norm(streams, spec.weights.finalNorm));
  const above = g.op('Sub', [logits, g.op('ReduceMax', [logits, g.ints([1])], { keepdims: 1 })]);
  const mass = g.op('Log', [g.op('ReduceSum', [g.op('Exp', [above]), g.ints([1])], { keepdims: 1 })]);
  const loss = g.op('Sub', [mass, g.op('Gather', [above, target], { axis: 1 })]);
  g.output('loss', g.op('Reshape', [loss, g.ints([-1])]), 'float32', ['P']);
  return g.finish();
}
