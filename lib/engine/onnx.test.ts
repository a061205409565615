import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { expect, test } from 'vitest';
import { GraphBuilder } from './onnx.ts';

test('what is written decodes to the same graph', () => {
  const g = new GraphBuilder('größe');
  const x = g.input('x', 'float32', ['B', 3]);
  const stored = { dtype: 'bfloat16', shape: [3, 4], location: 'model.safetensors', offset: 5_000_000_000, length: 24 } as const;
  const product = g.op('MatMul', [x, g.weight('w', stored)]);
  expect(g.weight('w', stored)).toBe('w');
  g.output('y', g.op('LayerNormalization', [product, g.floats([1, 2, 3, 4], [4])], { axis: -1, epsilon: { float: 1e-5 } }), 'float32', [
    'B',
    4,
  ]);
  expect(g.ints([-1, 2 ** 40])).toBe(g.ints([-1, 2 ** 40]));
  const graph = g.finish();
  const model = fromBinary(ModelProtoSchema, graph.bytes);
  expect(Number(model.irVersion)).toBe(10);
  expect(Number(model.opsetImport[0]!.version)).toBe(21);
  expect(model.graph!.name).toBe('größe');
  expect(model.graph!.node.map(({ opType }) => opType)).toEqual(['MatMul', 'LayerNormalization', 'Identity']);
  const type = model.graph!.input[0]!.type!.value;
  if (type.case !== 'tensorType') throw new Error(`no tensor: ${type.case}`);
  expect(type.value.shape!.dim.map(({ value }) => (value.case === 'dimParam' ? value.value : Number(value.value)))).toEqual(['B', 3]);
  const norm = model.graph!.node[1]!;
  expect(norm.attribute.map(({ name, type, i, f }) => [name, type, Number(i), Number(f?.toFixed(8))])).toEqual([
    ['axis', 2, -1, 0],
    ['epsilon', 1, 0, 0.00001],
  ]);
  expect(model.graph!.input.map(({ name }) => name)).toEqual(['x', 'w']);
  expect([...graph.weights]).toEqual([['w', stored]]);
});
