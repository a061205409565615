import * as ort from 'onnxruntime-node';
import { GraphBuilder, type Graph, type GraphForm } from '../../lib/engine/onnx.ts';
import type { NodeProvider } from '../../server/engine/node-runtime.ts';
import { time } from '../machine.ts';

/** The most that a device does through onnxruntime: what it is asked for is made there, and one number comes back. */

/** Matrices and elements, and how often each is gone over. */
export interface Load {
  rows: number;
  elements: number;
  repeats: number;
}

const CHAIN = 8;

/** GFLOP/s of a chain of products of square matrices. */
export async function matrixCeiling(provider: NodeProvider, products: GraphForm['products'], { rows, repeats }: Load): Promise<number> {
  const g = new GraphBuilder('matrix-ceiling');
  const matrix = g.op('Expand', [g.input('x', 'float32', [1, 1]), g.ints([rows, rows])]);
  let product = matrix;
  for (let step = 0; step < CHAIN; step++) product = g.op('MatMul', [product, matrix]);
  const best = await bestOf(provider, products, withMaximum(g, product), 1 / rows, repeats);
  return (CHAIN * 2 * rows ** 3) / (best * 1e6);
}

/** GB/s read and written by a chain of sums of one long vector with itself. */
export async function memoryCeiling(provider: NodeProvider, { elements, repeats }: Load): Promise<number> {
  const columns = 4096;
  const rows = Math.ceil(elements / columns);
  const g = new GraphBuilder('memory-ceiling');
  let vector = g.op('Expand', [g.input('x', 'float32', [1, 1]), g.ints([rows, columns])]);
  for (let step = 0; step < CHAIN; step++) vector = g.op('Neg', [vector]);
  const best = await bestOf(provider, 'float32', withMaximum(g, vector), 1, repeats);
  // The expansion writes once, each step reads and writes, the maximum reads.
  return ((2 * CHAIN + 2) * rows * columns * 4) / (best * 1e6);
}

function withMaximum(g: GraphBuilder, value: string): Graph {
  g.output('y', g.op('ReduceMax', [value, g.ints([0, 1])], { keepdims: 0 }), 'float32', []);
  return g.finish();
}

async function bestOf(provider: NodeProvider, products: GraphForm['products'], graph: Graph, x: number, repeats: number): Promise<number> {
  const session = await ort.InferenceSession.create(graph.encode!({ weights: 'inputs', products }), {
    executionProviders: provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
    logSeverityLevel: 3,
  });
  const feeds = { x: new ort.Tensor('float32', Float32Array.of(x), [1, 1]) };
  const { best } = await time(repeats, () => session.run(feeds));
  await session.release();
  return best;
}
