import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder, type Graph, type Value } from '../../lib/engine/onnx.ts';
import { indices, tensor, type FloatTensor, type Runtime, type Session } from '../../lib/engine/runtime.ts';
import type { StoredDtype, StoredTensor } from '../../lib/engine/weights.ts';
import { runtimeOf } from './testing.ts';

/** What the engine relies on, of every runtime. The project says which one it is: node's own, wasm, webgpu or cuda. */

const FILE = 'model.safetensors';
/** Bytes 0 to 95: 1 to 24 as float32; then 0.5, -2, 3, 1 as float16; then the same as bfloat16. */
const HALVES = { float16: [0x3800, 0xc000, 0x4200, 0x3c00], bfloat16: [0x3f00, 0xc000, 0x4040, 0x3f80] };
const BIG = { rows: 2048, columns: 4096 };

let folder: string;
let runtime: Runtime;
const open = new Set<Session>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pathboard-contract-'));
  const small = Float32Array.from({ length: 24 }, (_, index) => index + 1);
  const halves = Uint16Array.from([...HALVES.float16, ...HALVES.bfloat16]);
  await writeFile(join(folder, FILE), Buffer.concat([Buffer.from(small.buffer), Buffer.from(halves.buffer)]));
  const big = new Float32Array(BIG.rows * BIG.columns);
  for (let index = 0; index < big.length; index++) big[index] = (index % 1013) - 506;
  await writeFile(join(folder, 'big.safetensors'), big);
  runtime = await runtimeOf(folder);
});

afterAll(async () => {
  await Promise.all([...open].map((session) => session.close()));
  await rm(folder, { recursive: true });
});

const stored = (shape: number[], first = 0, more: Partial<StoredTensor> = {}): StoredTensor => {
  const length = 4 * shape.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', shape, location: FILE, offset: 4 * first, length, ...more };
};

async function opened(graph: Graph): Promise<Session> {
  const session = await runtime.open(graph);
  open.add(session);
  return session;
}

async function close(session: Session): Promise<void> {
  open.delete(session);
  await session.close();
}

/** y = x·W with W [3, 2] = 1 to 6. */
function product(name: string): Graph {
  const g = new GraphBuilder(name);
  const x = g.input('x', 'float32', ['rows', 3]);
  g.output('y', g.op('MatMul', [x, g.weight('W', stored([3, 2]))]), 'float32', ['rows', 2]);
  return g.finish();
}

const ROW = tensor(Float32Array.of(1, 0, 2), [1, 3]);
/** Of {@link ROW}: 1 + 2·5 and 2 + 2·6. */
const IMAGE = [11, 14];

const numbers = (found: FloatTensor | undefined) => Array.from(found!.data);

describe('runs', () => {
  it('multiplies what it is fed by the weights of the model’s file', async () => {
    const session = await opened(product('product'));
    const { y } = await session.run({ x: ROW });
    expect(y).toMatchObject({ dims: [1, 2] });
    expect(y!.data).toBeInstanceOf(Float32Array);
    expect(numbers(y)).toEqual(IMAGE);
    await close(session);
  });

  it('takes other shapes in later runs', async () => {
    const session = await opened(product('shapes'));
    for (const rows of [1, 7, 2, 300]) {
      const x = tensor(new Float32Array(rows * 3).fill(1), [rows, 3]);
      const { y } = await session.run({ x });
      expect(y!.dims).toEqual([rows, 2]);
      expect(numbers(y)).toEqual(Array.from({ length: rows }, () => [9, 12]).flat());
    }
    await close(session);
  });

  it('gives scalars, views of other memory, and several outputs', async () => {
    const g = new GraphBuilder('scalars');
    const x = g.input('x', 'float32', ['rows', 3]);
    g.output('sum', g.op('ReduceSum', [x], { keepdims: 0 }), 'float32', []);
    g.output('twice', g.op('Add', [x, x]), 'float32', ['rows', 3]);
    const session = await opened(g.finish());
    const larger = Float32Array.of(9, 9, 1, 2, 3, 9);
    const { sum, twice } = await session.run({ x: tensor(larger.subarray(2, 5), [1, 3]) });
    expect(sum!.dims).toEqual([]);
    expect(numbers(sum)).toEqual([6]);
    expect(numbers(twice)).toEqual([2, 4, 6]);
    await close(session);
  });

  it('takes indices as int32', async () => {
    const g = new GraphBuilder('rows');
    const rows = g.input('rows', 'int32', ['count']);
    g.output('y', g.op('Gather', [g.weight('E', stored([8, 3])), rows]), 'float32', ['count', 3]);
    const session = await opened(g.finish());
    const { y } = await session.run({ rows: indices([7, 0]) });
    expect(numbers(y)).toEqual([22, 23, 24, 1, 2, 3]);
    await close(session);
  });

  it.each(['float16', 'bfloat16'] as const)('widens weights stored as %s', async (dtype: StoredDtype) => {
    const g = new GraphBuilder(dtype);
    const offset = 96 + (dtype === 'bfloat16' ? 8 : 0);
    const weight = g.weight('w', { dtype, shape: [4], location: FILE, offset, length: 8 });
    g.output('y', g.op('Mul', [g.input('x', 'float32', [4]), weight]), 'float32', [4]);
    const session = await opened(g.finish());
    const { y } = await session.run({ x: tensor(new Float32Array(4).fill(2), [4]) });
    expect(numbers(y)).toEqual([1, -4, 6, 2]);
    await close(session);
  });

  it('multiplies by weights of 32 MiB', async () => {
    const g = new GraphBuilder('big');
    const weight = g.weight('big', stored([BIG.rows, BIG.columns], 0, { location: 'big.safetensors' }));
    g.output('y', g.op('MatMul', [g.input('x', 'float32', [1, BIG.rows]), weight]), 'float32', [1, BIG.columns]);
    const session = await opened(g.finish());
    const x = new Float32Array(BIG.rows);
    x[0] = 1;
    x[BIG.rows - 1] = 2;
    const { y } = await session.run({ x: tensor(x, [1, BIG.rows]) });
    const at = (index: number) => (index % 1013) - 506;
    const last = (BIG.rows - 1) * BIG.columns;
    expect(numbers(y)).toEqual(Array.from({ length: BIG.columns }, (_, column) => at(column) + 2 * at(last + column)));
    await close(session);
  });
});

describe('keeps outputs apart', () => {
  it('leaves what an earlier run gave as it is', async () => {
    const session = await opened(product('owned'));
    const { y: first } = await session.run({ x: ROW });
    await session.run({ x: tensor(Float32Array.of(5, 5, 5), [1, 3]) });
    expect(numbers(first)).toEqual(IMAGE);
    await close(session);
  });

  it('writes into the place that it is given', async () => {
    const session = await opened(product('placed'));
    const all = new Float32Array(6);
    const place = tensor(all.subarray(2, 4), [1, 2]);
    const { y } = await session.run({ x: ROW }, { y: place });
    expect(y!.data).toBe(place.data);
    expect(Array.from(all)).toEqual([0, 0, ...IMAGE, 0, 0]);
    await close(session);
  });

  it('gives each of many runs at a time its own', async () => {
    const [one, two] = [await opened(product('one')), await opened(product('two'))];
    const asked = Array.from({ length: 24 }, (_, index) => index);
    const found = await Promise.all(
      asked.map(async (index) => numbers((await (index % 2 ? one : two).run({ x: tensor(Float32Array.of(index, 0, 1), [1, 3]) }))['y'])),
    );
    expect(found).toEqual(asked.map((index) => [index + 5, 2 * index + 6]));
    await Promise.all([close(one), close(two)]);
  });
});

describe('closes', () => {
  it('in any order, though sessions share weights', async () => {
    const [one, two, three] = [await opened(product('first')), await opened(product('second')), await opened(product('third'))];
    await close(two);
    expect(numbers((await three.run({ x: ROW }))['y'])).toEqual(IMAGE);
    await close(one);
    expect(numbers((await three.run({ x: ROW }))['y'])).toEqual(IMAGE);
    await close(three);
  });

  it('all, and opens anew', async () => {
    await Promise.all([...open].map(close));
    for (let round = 0; round < 3; round++) {
      const session = await opened(product('anew'));
      expect(numbers((await session.run({ x: ROW }))['y'])).toEqual(IMAGE);
      await close(session);
    }
  });

  it('twice without harm, and refuses to run afterwards', async () => {
    const session = await opened(product('closed'));
    await close(session);
    await session.close();
    await expect(session.run({ x: ROW })).rejects.toMatchObject({ code: 'runtime', where: 'graph closed' });
  });
});

describe('says where it failed', () => {
  it('on a graph that is none', async () => {
    const graph: Graph = { name: 'broken', bytes: Uint8Array.of(1, 2, 3), weights: new Map() };
    await expect(runtime.open(graph)).rejects.toMatchObject({ isEngineError: true, code: 'runtime', where: 'graph broken' });
  });

  it('on an operator that there is not', async () => {
    const g = new GraphBuilder('unknown');
    g.output('y', g.op('NoSuchOperator', [g.input('x', 'float32', [1])]), 'float32', [1]);
    await expect(runtime.open(g.finish())).rejects.toMatchObject({ code: 'runtime', where: 'graph unknown' });
  });

  it('on weights that are not there, and opens the next graph', async () => {
    const g = new GraphBuilder('short');
    const weight = g.weight('beyond', stored([4096], 6));
    g.output('y', g.op('Add', [weight, g.input('x', 'float32', [1])]), 'float32', [4096]);
    await expect(runtime.open(g.finish())).rejects.toMatchObject({ code: 'bad-weights', where: FILE });
    const session = await opened(product('after'));
    expect(numbers((await session.run({ x: ROW }))['y'])).toEqual(IMAGE);
    await close(session);
  });

  it('on feeds of another shape, too few or too many, and goes on', async () => {
    const session = await opened(product('feeds'));
    const where = { code: 'runtime', where: 'graph feeds' };
    await expect(session.run({ x: tensor(new Float32Array(4), [1, 4]) })).rejects.toMatchObject(where);
    await expect(session.run({})).rejects.toMatchObject(where);
    await expect(session.run({ x: indices([1, 2, 3], [1, 3]) })).rejects.toMatchObject(where);
    await expect(session.run({ x: tensor(new Float32Array(2), [1, 3]) })).rejects.toMatchObject(where);
    expect(numbers((await session.run({ x: ROW }))['y'])).toEqual(IMAGE);
    await close(session);
  });
});

/** Points where approximations of these functions are known to be poor: around 0, where they level off, and far out. */
const POINTS = Float32Array.from([
  ...Array.from({ length: 401 }, (_, index) => (index - 200) / 25),
  ...[1e-6, 1e-4, 1e-3, 0.01].flatMap((small) => [small, -small]),
  12,
  20,
  30,
  -12,
  -20,
  -30,
]);

describe('computes functions as float32 should', () => {
  const unary: Record<string, { of: (x: number) => number; op?: (g: GraphBuilder, x: Value) => Value; points?: Float32Array }> = {
    Exp: { of: Math.exp },
    Tanh: { of: Math.tanh },
    Sigmoid: { of: (x) => 1 / (1 + Math.exp(-x)) },
    Erf: { of: erf },
    Gelu: { of: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)) },
    'Gelu, tanh form': {
      of: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
      op: (g, x) => g.op('Gelu', [x], { approximate: 'tanh' }),
    },
    Sqrt: { of: Math.sqrt, points: POINTS.map(Math.abs) },
    Reciprocal: { of: (x) => 1 / x, points: POINTS.filter((x) => x !== 0) },
    Log: { of: Math.log, points: POINTS.map(Math.abs).filter((x) => x > 0) },
  };

  it.each(Object.keys(unary))('%s to 2e-6 of each value, or of 1', async (name) => {
    const { of, op, points = POINTS } = unary[name]!;
    const g = new GraphBuilder(name);
    const x = g.input('x', 'float32', ['n']);
    g.output('y', op ? op(g, x) : g.op(name, [x]), 'float32', ['n']);
    const session = await opened(g.finish());
    const { y } = await session.run({ x: tensor(points, [points.length]) });
    points.forEach((point, index) => {
      const wanted = of(point);
      expect(Math.abs(y!.data[index]! - wanted), `${name}(${point})`).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(wanted)));
    });
    await close(session);
  });

  it('softmax with masked entries', async () => {
    const g = new GraphBuilder('softmax');
    g.output('y', g.op('Softmax', [g.input('x', 'float32', ['r', 'n'])], { axis: -1 }), 'float32', ['r', 'n']);
    const session = await opened(g.finish());
    const rows = [
      [1, 2, 3, -1e30],
      [80, 80.5, -1e30, -1e30],
      [-60, -1e30, -1e30, -1e30],
    ];
    const { y } = await session.run({ x: tensor(Float32Array.from(rows.flat()), [3, 4]) });
    const wanted = rows.flatMap((row) => {
      const largest = Math.max(...row);
      const powers = row.map((x) => Math.exp(x - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    });
    wanted.forEach((value, index) => expect(y!.data[index]).toBeCloseTo(value, 6));
    await close(session);
  });

  it('LayerNormalization of values far from 0', async () => {
    const g = new GraphBuilder('norm');
    const ones = g.floats(new Array<number>(8).fill(1), [8]);
    g.output('y', g.op('LayerNormalization', [g.input('x', 'float32', ['r', 8]), ones], { epsilon: { float: 1e-5 } }), 'float32', ['r', 8]);
    const session = await opened(g.finish());
    const row = [100, 101, 99, 100.5, 98, 103, 100, 99.5];
    const { y } = await session.run({ x: tensor(Float32Array.from(row), [1, 8]) });
    const mean = row.reduce((sum, x) => sum + x, 0) / 8;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 8;
    row.forEach((x, index) => expect(y!.data[index]).toBeCloseTo((x - mean) / Math.sqrt(variance + 1e-5), 4));
    await close(session);
  });
});

/** By its series, or by the continued fraction of what is left to 1; in float64. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 3) {
    let fraction = x;
    for (let step = 60; step > 0; step--) fraction = x + step / 2 / fraction;
    return 1 - Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
  }
  let [sum, term] = [x, x];
  for (let step = 1; step < 100; step++) {
    term *= (-x * x) / step;
    sum += term / (2 * step + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
