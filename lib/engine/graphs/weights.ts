import type { GraphBuilder, Value } from '../onnx.ts';
import type { ModelSpec, Weight } from '../spec.ts';

/** A weight as a factor of products: `value` is W [inner, outer], or Wᵀ [outer, inner] where `flipped`. */
export interface Matrix {
  value: Value;
  flipped: boolean;
  inner: number;
  outer: number;
}

/**
 * A model's weights as ONNX values. They are inputs, so whatever turns or cuts them does it on every run: matrices keep
 * the orientation of the file wherever a product can take it.
 */
export class Weights {
  constructor(
    readonly g: GraphBuilder,
    readonly spec: ModelSpec,
  ) {}

  /** The tensor in the shape in which it lies in the file. */
  stored({ name, stored }: Weight): Value {
    return this.g.weight(name, stored);
  }

  vector(weight: Weight): Value {
    const { layout } = weight;
    return this.g.once(`vector ${weight.name} ${JSON.stringify(layout)}`, () => {
      const raw = this.stored(weight);
      switch (layout.kind) {
        case 'columns':
          return this.g.op('Slice', [raw, this.g.ints([layout.from]), this.g.ints([layout.to]), this.g.ints([-1])]);
        case 'flatten':
          return this.g.op('Reshape', [raw, this.g.ints([-1])]);
        case 'thirds': {
          const parts = this.g.op('Reshape', [raw, this.g.ints([-1, 3, this.spec.dHead])]);
          return this.g.op('Reshape', [this.g.op('Gather', [parts, this.g.ints([layout.part], [])], { axis: 1 }), this.g.ints([-1])]);
        }
        default:
          return raw;
      }
    });
  }

  matrix(weight: Weight): Matrix {
    const { layout, stored } = weight;
    const [rows, columns] = [stored.shape.at(0)!, stored.shape.at(-1)!];
    const key = `matrix ${weight.name} ${JSON.stringify(layout)}`;
    switch (layout.kind) {
      case 'as-is':
        return { value: this.stored(weight), flipped: false, inner: rows, outer: columns };
      case 'transpose':
        return { value: this.stored(weight), flipped: true, inner: columns, outer: rows };
      case 'columns': {
        const ends = [this.g.ints([layout.from]), this.g.ints([layout.to]), this.g.ints([-1])];
        const value = this.g.once(key, () => this.g.op('Slice', [this.stored(weight), ...ends]));
        return { value, flipped: false, inner: rows, outer: layout.to - layout.from };
      }
      case 'flatten': {
        const value = this.g.once(key, () => this.g.op('Reshape', [this.stored(weight), this.g.ints([-1, columns])]));
        return { value, flipped: false, inner: rows * stored.shape[1]!, outer: columns };
      }
      case 'fuse-heads': {
        const value = this.g.once(key, () => {
          const byRow = this.g.op('Transpose', [this.stored(weight)], { perm: [1, 0, 2] });
          return this.g.op('Reshape', [byRow, this.g.ints([stored.shape[1]!, -1])]);
        });
        return { value, flipped: false, inner: stored.shape[1]!, outer: rows * columns };
      }
      case 'thirds': {
        const value = this.g.once(key, () => {
          const parts = this.g.op('Reshape', [this.stored(weight), this.g.ints([-1, 3, this.spec.dHead, columns])]);
          const part = this.g.op('Gather', [parts, this.g.ints([layout.part], [])], { axis: 1 });
          return this.g.op('Reshape', [part, this.g.ints([-1, columns])]);
        });
        return { value, flipped: true, inner: columns, outer: rows / 3 };
      }
    }
  }

  /** x·W for x [.., inner]: [.., outer]. */
  times(x: Value, matrix: Matrix): Value {
    return matrix.flipped ? this.#gemm(x, matrix.value, matrix.outer) : this.g.op('MatMul', [x, matrix.value]);
  }

  /** x·Wᵀ for x [.., outer]: [.., inner]. */
  timesTransposed(x: Value, matrix: Matrix): Value {
    return matrix.flipped ? this.g.op('MatMul', [x, matrix.value]) : this.#gemm(x, matrix.value, matrix.inner);
  }

  /**
   * One head's part of a weight. `head` is int32 []. An input weight gives [d, dh], an output weight [dh, d].
   */
  headMatrix(weight: Weight, head: Value, side: 'in' | 'out'): Matrix {
    const { dHead, dModel } = this.spec;
    const [inner, outer] = side === 'in' ? [dModel, dHead] : [dHead, dModel];
    const { layout, stored } = weight;
    if (stored.shape.length === 3) {
      return { value: this.g.op('Gather', [this.stored(weight), head], { axis: 0 }), flipped: false, inner, outer };
    }
    const flipped = layout.kind === 'transpose' || layout.kind === 'thirds';
    const [step, offset] =
      layout.kind === 'thirds' ? [3 * dHead, layout.part * dHead] : [dHead, layout.kind === 'columns' ? layout.from : 0];
    const index = this.g.op('Cast', [this.g.op('Reshape', [head, this.g.ints([1])])], { to: 7 });
    const from = this.g.op('Add', [this.g.op('Mul', [index, this.g.ints([step])]), this.g.ints([offset])]);
    const to = this.g.op('Add', [from, this.g.ints([dHead])]);
    const axis = (side === 'in') === flipped ? 0 : 1;
    return { value: this.g.op('Slice', [this.stored(weight), from, to, this.g.ints([axis])]), flipped, inner, outer };
  }

  /** The key and value head that a head [] reads. */
  kvHead(head: Value): Value {
    const { heads, kvHeads } = this.spec;
    if (heads === kvHeads) return head;
    return this.g.op('Div', [head, this.g.op('Cast', [this.g.ints([heads / kvHeads], [])], { to: 6 })]);
  }

  /**
   * An input weight as [heads, d, dh] or an output weight as [heads, dh, d], for products of all heads at once;
   * `transposed` swaps the last two.
   */
  perHead(weight: Weight, side: 'in' | 'out', transposed = false): Value {
    const { dHead, dModel } = this.spec;
    const headFirst = (side === 'out') !== transposed;
    return this.g.once(`per head ${side} ${transposed} ${weight.name} ${JSON.stringify(weight.layout)}`, () => {
      if (weight.stored.shape.length === 3) {
        const stored = this.stored(weight);
        return transposed ? this.g.op('Transpose', [stored], { perm: [0, 2, 1] }) : stored;
      }
      const { value, flipped } = this.matrix(weight);
      const headsAreRows = (side === 'out') !== flipped;
      const shape = headsAreRows ? [-1, dHead, dModel] : [dModel, -1, dHead];
      const split = this.g.op('Reshape', [value, this.g.ints(shape)]);
      if (headsAreRows) return headFirst ? split : this.g.op('Transpose', [split], { perm: [0, 2, 1] });
      return this.g.op('Transpose', [split], { perm: headFirst ? [1, 2, 0] : [1, 0, 2] });
    });
  }

  #gemm(x: Value, transposed: Value, outer: number): Value {
    const rows = this.g.op('Flatten', [x], { axis: -1 });
    const product = this.g.op('Gemm', [rows, transposed], { transB: 1 });
    const shape = this.g.op('Concat', [this.g.op('Shape', [x], { end: -1 }), this.g.ints([outer])], { axis: 0 });
    return this.g.op('Reshape', [product, shape]);
  }
}
