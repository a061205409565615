import { GraphBuilder, type Graph } from '../onnx.ts';
import type { ModelSpec } from '../spec.ts';
import type { Stage } from '../stages.ts';
import { Blocks } from './blocks.ts';
import { metricOf } from './causal.ts';
import { attention } from './forward.ts';

/**
 * The model from one stage on, live, on a changed stream. Feeds `clean` [S, d] the stream that the stage reads, `change`
 * [P, S, d], `mask` [S, S] and the metric's tokens; gives `metric` [P] at the last token.
 * @param stages those from which the stream is read on, at least one
 */
export function changedRunGraph(spec: ModelSpec, stages: readonly Stage[]): Graph {
  const g = new GraphBuilder(changedRunName(stages));
  const blocks = new Blocks(g, spec);
  const dims = ['P', 'S', spec.dModel];
  const mask = stages.some((stage) => stage.attention) ? g.input('mask', 'float32', ['S', 'S']) : null;
  let x = g.op('Add', [g.input('change', 'float32', dims), g.input('clean', 'float32', ['S', spec.dModel])]);
  for (const stage of stages) {
    const written = [
      ...(stage.attention ? [attention(blocks, x, stage.layer, mask!)] : []),
      ...(stage.mlp ? [blocks.liveMlp(x, stage.layer)] : []),
    ];
    x = written.reduce((sum, part) => g.op('Add', [sum, part]), x);
  }
  const last = g.op('Gather', [x, g.ints([-1], [])], { axis: 1 });
  g.output('metric', metricOf(blocks, last), 'float32', ['P']);
  return g.finish();
}

export function changedRunName(stages: readonly Stage[]): string {
  return `changed-run-${stages[0]!.name}`;
}
