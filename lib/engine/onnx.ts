/**
 * A writer of ONNX models: protobuf by hand for the few messages that a graph needs.
 * Opset 21, IR 10. Field numbers follow onnx.proto of the ONNX project.
 */

import type { StoredTensor } from './weights.ts';

export type Dtype = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64';

const DTYPE_CODE: Record<Dtype, number> = { float32: 1, int32: 6, int64: 7, float16: 10, bfloat16: 16 };
const OPSET = 21;
const IR_VERSION = 10;

type Attribute = number | string | readonly number[] | { float: number };

class ProtoWriter {
  readonly #bytes: number[] = [];
  readonly #text = new Utf8();

  varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#bytes.push(Number(rest));
    return this;
  }

  int(field: number, value: number | bigint): this {
    return this.varint(field << 3).varint(value);
  }

  float(field: number, value: number): this {
    this.varint((field << 3) | 5);
    this.#bytes.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  bytes(field: number, value: ArrayLike<number>): this {
    this.varint((field << 3) | 2).varint(value.length);
    for (let i = 0; i < value.length; i++) this.#bytes.push(value[i]!);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, this.#text.encode(value));
  }

  message(field: number, write: (inner: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    return this.bytes(field, inner.#bytes);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** UTF-8 without TextEncoder, which neither lib ES2023 nor every worker types. */
class Utf8 {
  encode(text: string): number[] {
    const escaped = encodeURIComponent(text);
    const bytes: number[] = [];
    for (let i = 0; i < escaped.length; i++) {
      if (escaped[i] === '%') {
        bytes.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
        i += 2;
      } else bytes.push(escaped.charCodeAt(i));
    }
    return bytes;
  }
}

/**
 * A finished model: its ONNX bytes, and the tensors of the model's files that it takes as further float32 inputs. As
 * inputs, one copy of them serves however many graphs, and none of them folds constants out of it.
 */
export interface Graph {
  name: string;
  bytes: Uint8Array;
  /** by the name of the input */
  weights: ReadonlyMap<string, StoredTensor>;
  /** Other bytes of the same graph; absent where it was not written by {@link GraphBuilder}. */
  encode?(form: GraphForm): Uint8Array;
}

/** How a graph is written. */
export interface GraphForm {
  /**
   * As inputs, so that one copy serves every graph; or inside, as references to the bytes of the model's files, which a
   * device then keeps.
   */
  weights: 'inputs' | 'inside';
  /**
   * What matrix products take. All else stays float32: norms, softmax, sums, the logits' difference. `rounded-to-float16`
   * also where a device computes products in float32 alone and would leave the rounding out: onnxruntime's CPU.
   */
  products: 'float32' | 'float16' | 'rounded-to-float16';
}

/** Operators whose operands are rounded where products are in float16; each gives what it is given. */
const PRODUCTS = new Set(['MatMul', 'Gemm']);

/** Name of a value in the graph under construction. */
export type Value = string;

/** Builds one ONNX graph; every method returns the name of the value it made. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #initializers: ((writer: ProtoWriter) => void)[] = [];
  readonly #inputs: { name: string; write: (writer: ProtoWriter) => void }[] = [];
  readonly #outputs: ((writer: ProtoWriter) => void)[] = [];
  readonly #shared = new Map<string, Value>();
  #count = 0;
  readonly #weights = new Map<string, StoredTensor>();

  constructor(readonly name: string) {}

  /** A graph input; a string dimension is symbolic. */
  input(name: string, dtype: Dtype, dims: readonly (number | string)[]): Value {
    this.#inputs.push({ name, write: (writer) => writeValueInfo(writer, name, dtype, dims) });
    return name;
  }

  output(name: string, value: Value, dtype: Dtype, dims: readonly (number | string)[]): void {
    this.#add('Identity', [value], [name], {});
    this.#outputs.push((writer) => writeValueInfo(writer, name, dtype, dims));
  }

  /** One node with one output. */
  op(type: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  /** One node with `outputs` outputs. */
  ops(type: string, inputs: readonly Value[], outputs: number, attributes: Record<string, Attribute> = {}): Value[] {
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`);
    this.#add(type, inputs, names, attributes);
    return names;
  }

  /** A float32 constant. */
  floats(values: readonly number[], dims: readonly number[]): Value {
    return this.#constant('float32', new Uint8Array(new Float32Array(values).buffer), dims);
  }

  scalar(value: number): Value {
    return this.floats([value], []);
  }

  /** An int64 constant, for shapes, axes and indices. */
  ints(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return this.#constant('int64', new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer), dims);
  }

  /** A tensor of the model's files, as an input that the runtime feeds; the same name gives the same value. */
  weight(name: string, stored: StoredTensor): Value {
    return this.once(`weight ${name}`, () => {
      this.#weights.set(name, stored);
      return this.input(name, 'float32', stored.shape);
    });
  }

  /** Makes a value once a graph, however often it is asked for. */
  once(key: string, make: () => Value): Value {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#shared.set(key, value);
    return value;
  }

  finish(): Graph {
    const encode = (form: GraphForm) => this.#encode(form);
    return { name: this.name, bytes: encode({ weights: 'inputs', products: 'float32' }), weights: this.#weights, encode };
  }

  #encode({ weights, products }: GraphForm): Uint8Array {
    const inside = weights === 'inside' ? this.#weights : new Map<string, StoredTensor>();
    const widened = [...inside].filter(([, { dtype }]) => dtype !== 'float32').map(([name]) => cast(storedName(name), name, 'float32'));
    const axis = products === 'rounded-to-float16' ? this.ints([0]) : null;
    const nodes = products === 'float32' ? this.#nodes : this.#nodes.flatMap((node) => withHalfOperands(node, axis));
    return new ProtoWriter()
      .int(1, IR_VERSION)
      .string(2, 'pathboard')
      .message(7, (graph) => {
        for (const node of [...widened, ...nodes]) graph.message(1, (writer) => writeNode(writer, node));
        graph.string(2, this.name);
        for (const initializer of this.#initializers) graph.message(5, initializer);
        for (const [name, stored] of inside) graph.message(5, (writer) => writeStored(writer, name, stored));
        for (const { name, write } of this.#inputs) if (!inside.has(name)) graph.message(11, write);
        for (const output of this.#outputs) graph.message(12, output);
      })
      .message(8, (opset) => opset.int(2, OPSET))
      .finish();
  }

  #constant(dtype: Dtype, raw: Uint8Array, dims: readonly number[]): Value {
    return this.once(`${dtype} ${dims.join()} ${raw.join()}`, () => {
      const name = `c${this.#count++}`;
      this.#initializers.push((writer) => {
        for (const dim of dims) writer.int(1, dim);
        writer.int(2, DTYPE_CODE[dtype]).string(8, name).bytes(9, raw);
      });
      return name;
    });
  }

  #add(type: string, inputs: readonly Value[], outputs: readonly Value[], attributes: Record<string, Attribute>): void {
    this.#nodes.push({ type, inputs, outputs, attributes });
  }
}

interface Node {
  type: string;
  inputs: readonly Value[];
  outputs: readonly Value[];
  attributes: Record<string, Attribute>;
}

function cast(from: Value, to: Value, dtype: Dtype): Node {
  return { type: 'Cast', inputs: [from], outputs: [to], attributes: { to: DTYPE_CODE[dtype] } };
}

/**
 * A product of operands in float16, its result widened again. With an `axis` they go there and back in float16 between:
 * onnxruntime drops a cast that it would undo in the next step.
 */
function withHalfOperands(node: Node, axis: Value | null): Node[] {
  if (!PRODUCTS.has(node.type)) return [node];
  const [output] = node.outputs as [Value];
  const half = (index: number) => `${output}/half${index}`;
  const operands = node.inputs.flatMap((input, index): Node[] => {
    if (axis === null) return [cast(input, half(index), 'float16')];
    const [narrow, moved] = [`${half(index)}/narrow`, `${half(index)}/moved`];
    return [
      cast(input, narrow, 'float16'),
      { type: 'Unsqueeze', inputs: [narrow, axis], outputs: [moved], attributes: {} },
      { type: 'Squeeze', inputs: [moved, axis], outputs: [half(index)], attributes: {} },
    ];
  });
  return [
    ...operands,
    { ...node, inputs: node.inputs.map((_, index) => half(index)), outputs: [`${output}/half`] },
    cast(`${output}/half`, output, 'float32'),
  ];
}

/** What the file holds of a weight that is float32 under its own name. */
const storedName = (name: string) => `${name}/stored`;

/** A reference to a tensor's bytes in a file of the model's folder. */
function writeStored(writer: ProtoWriter, name: string, { dtype, shape, location, offset, length }: StoredTensor): void {
  for (const dim of shape) writer.int(1, dim);
  writer.int(2, DTYPE_CODE[dtype]).string(8, dtype === 'float32' ? name : storedName(name));
  for (const [key, value] of Object.entries({ location, offset, length })) {
    writer.message(13, (entry) => entry.string(1, key).string(2, String(value)));
  }
  writer.int(14, EXTERNAL);
}

/** Of TensorProto's data_location. */
const EXTERNAL = 1;

function writeNode(writer: ProtoWriter, { type, inputs, outputs, attributes }: Node): void {
  for (const input of inputs) writer.string(1, input);
  for (const output of outputs) writer.string(2, output);
  writer.string(3, `${type}_${outputs[0]}`).string(4, type);
  for (const [name, value] of Object.entries(attributes)) {
    writer.message(5, (attribute) => writeAttribute(attribute.string(1, name), value));
  }
}

function writeAttribute(writer: ProtoWriter, value: Attribute): void {
  if (typeof value === 'number') writer.int(3, value).int(20, 2);
  else if (typeof value === 'string') writer.string(4, value).int(20, 3);
  else if ('float' in value) writer.float(2, value.float).int(20, 1);
  else {
    for (const item of value) writer.int(8, item);
    writer.int(20, 7);
  }
}

function writeValueInfo(writer: ProtoWriter, name: string, dtype: Dtype, dims: readonly (number | string)[]): void {
  writer.string(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, DTYPE_CODE[dtype]).message(2, (shape) => {
        for (const dim of dims) {
          shape.message(1, (entry) => (typeof dim === 'number' ? entry.int(1, dim) : entry.string(2, dim)));
        }
      }),
    ),
  );
}
