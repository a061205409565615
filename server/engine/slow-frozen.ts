import { printNode, type PlacedEdge } from '../../lib/engine/index.ts';
import type { RandomModel, RandomTensor } from './random-model.ts';

/**
 * A run of a TransformerLens model of {@link RandomModel}, in float64 with plain loops, which can be carried through its own
 * frozen maps a second time with one flow between two places left out [M9], [M26]. The frozen run is linear, so what
 * the metric loses is the sum of all paths that use the flow: nothing is pulled back here.
 */
export class SlowFrozen {
  readonly #tensors: ReadonlyMap<string, RandomTensor>;
  readonly #sizes: { layers: number; heads: number; d: number; dHead: number; dMlp: number };
  readonly #centres: boolean;
  readonly #isNormed: boolean;
  readonly #tokens: readonly number[];
  readonly #patterns: number[][][][] = [];
  readonly #inverse: { attention: number[]; mlp: number[] }[] = [];
  readonly #gates: number[][][] = [];
  readonly #inverseFinal: number;

  /** Models with relu, gated by whether the hidden layer is positive. */
  constructor({ config, tensors }: RandomModel, tokens: readonly number[]) {
    this.#tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const size = (name: string) => (config[name] as number | null) ?? 0;
    this.#sizes = { layers: size('n_layers'), heads: size('n_heads'), d: size('d_model'), dHead: size('d_head'), dMlp: size('d_mlp') };
    const norm = config['normalization_type'] as string | null;
    this.#isNormed = norm !== null;
    this.#centres = norm?.startsWith('LN') ?? false;
    this.#tokens = tokens;
    const stream = this.#embedding();
    for (let layer = 0; layer < this.#sizes.layers; layer++) this.#freeze(stream, layer);
    this.#inverseFinal = this.#inverseOf(stream.at(-1)!);
  }

  /** The metric of the frozen run; without the flow `cut`, where one is given. */
  metric(target: number, foil: number, cut: PlacedEdge | null): number {
    const written = new Map<string, number[][]>([['input', this.#embedding()]]);
    for (let layer = 0; layer < this.#sizes.layers; layer++) {
      const before = new Map(written);
      for (let head = 0; head < this.#sizes.heads; head++) {
        written.set(
          `a${layer}.h${head}`,
          this.#tokens.map((_, query) => this.#frozenHead(before, layer, head, query, cut)),
        );
      }
      written.set(
        `a${layer}.b`,
        this.#tokens.map(() => this.#attentionBias(layer)),
      );
      if (this.#sizes.dMlp > 0)
        written.set(
          `m${layer}`,
          this.#tokens.map((_, at) => this.#frozenMlp(written, layer, at, cut)),
        );
    }
    const last = this.#tokens.length - 1;
    const read = this.#normed(this.#stream(written, last, 'logits', last, cut), 'ln_final', this.#inverseFinal);
    const unembed = this.#matrix('unembed.W_U');
    const bias = this.#vector('unembed.b_U');
    const beta = this.#beta('ln_final');
    const isCut = cut !== null && cut.from.node.kind === 'logits-bias';
    const logit = (token: number) =>
      read.reduce((sum, value, i) => sum + (value + (isCut ? 0 : beta[i]!)) * unembed[i]![token]!, isCut ? 0 : bias[token]!);
    return logit(target) - logit(foil);
  }

  /** The stream at a token as a reader at `query` sees it. */
  #stream(written: ReadonlyMap<string, number[][]>, at: number, reader: string, query: number, cut: PlacedEdge | null): number[] {
    const sum = new Array<number>(this.#sizes.d).fill(0);
    for (const [writer, rows] of written) {
      if (isCut(cut, writer, at, reader, query)) continue;
      rows[at]!.forEach((value, i) => (sum[i]! += value));
    }
    return sum;
  }

  #frozenHead(written: ReadonlyMap<string, number[][]>, layer: number, head: number, query: number, cut: PlacedEdge | null): number[] {
    const value = this.#perHead(`blocks.${layer}.attn.W_V`, head);
    const output = this.#perHead(`blocks.${layer}.attn.W_O`, head);
    const out = new Array<number>(this.#sizes.d).fill(0);
    for (let key = 0; key <= query; key++) {
      const x = this.#stream(written, key, `a${layer}.h${head}`, query, cut);
      const moved = times(times(this.#normed(x, `blocks.${layer}.ln1`, this.#inverse[layer]!.attention[key]!), value), output);
      moved.forEach((one, i) => (out[i]! += this.#patterns[layer]![head]![query]![key]! * one));
    }
    return out;
  }

  #frozenMlp(written: ReadonlyMap<string, number[][]>, layer: number, at: number, cut: PlacedEdge | null): number[] {
    const name = `blocks.${layer}`;
    const x = this.#normed(this.#stream(written, at, `m${layer}`, at, cut), `${name}.ln2`, this.#inverse[layer]!.mlp[at]!);
    const withBias = !isCut(cut, `m${layer}.b`, at, `m${layer}`, at);
    const beta = this.#beta(`${name}.ln2`);
    const shifted = withBias ? x.map((value, i) => value + beta[i]!) : x;
    const inBias = this.#vector(`${name}.mlp.b_in`);
    const hidden = times(shifted, this.#matrix(`${name}.mlp.W_in`)).map(
      (value, i) => (value + (withBias ? inBias[i]! : 0)) * this.#gates[layer]![at]![i]!,
    );
    const outBias = this.#vector(`${name}.mlp.b_out`);
    return times(hidden, this.#matrix(`${name}.mlp.W_out`)).map((value, i) => value + (withBias ? outBias[i]! : 0));
  }

  /** Runs a layer on the stream, live, and keeps what its frozen maps hold. */
  #freeze(stream: number[][], layer: number): void {
    const at = `blocks.${layer}.`;
    const attention = stream.map((row) => this.#inverseOf(row));
    const normed = stream.map((row, token) => plus(this.#normed(row, `${at}ln1`, attention[token]!), this.#beta(`${at}ln1`)));
    const bias = this.#attentionBias(layer);
    const change = stream.map(() => [...bias]);
    this.#patterns.push([]);
    for (let head = 0; head < this.#sizes.heads; head++) {
      const project = (part: string) => {
        const shift = this.#perHead(`${at}attn.b_${part}`, head)[0]!;
        return normed.map((row) => plus(times(row, this.#perHead(`${at}attn.W_${part}`, head)), shift));
      };
      const [q, k] = [project('Q'), project('K')];
      const pattern = q.map((query, row) => softmax(k.slice(0, row + 1).map((key) => dot(query, key) / Math.sqrt(this.#sizes.dHead))));
      this.#patterns[layer]!.push(pattern);
      const value = this.#perHead(`${at}attn.W_V`, head);
      const output = this.#perHead(`${at}attn.W_O`, head);
      stream.forEach((_, query) => {
        for (let key = 0; key <= query; key++) {
          const moved = times(times(this.#normed(stream[key]!, `${at}ln1`, attention[key]!), value), output);
          moved.forEach((one, i) => (change[query]![i]! += pattern[query]![key]! * one));
        }
      });
    }
    change.forEach((row, token) => row.forEach((value, i) => (stream[token]![i]! += value)));
    this.#inverse.push({ attention, mlp: stream.map((row) => this.#inverseOf(row)) });
    if (this.#sizes.dMlp > 0) this.#freezeMlp(stream, layer);
  }

  #freezeMlp(stream: number[][], layer: number): void {
    const at = `blocks.${layer}.`;
    this.#gates.push([]);
    stream.forEach((row, token) => {
      const normed = plus(this.#normed(row, `${at}ln2`, this.#inverse[layer]!.mlp[token]!), this.#beta(`${at}ln2`));
      const hidden = plus(times(normed, this.#matrix(`${at}mlp.W_in`)), this.#vector(`${at}mlp.b_in`));
      const gate = hidden.map((value) => Number(value > 0));
      this.#gates[layer]!.push(gate);
      const out = plus(
        times(
          hidden.map((value, i) => value * gate[i]!),
          this.#matrix(`${at}mlp.W_out`),
        ),
        this.#vector(`${at}mlp.b_out`),
      );
      out.forEach((value, i) => (row[i]! += value));
    });
  }

  /** What a layer's attention adds whatever it reads, since patterns sum to 1. */
  #attentionBias(layer: number): number[] {
    const at = `blocks.${layer}.`;
    const bias = this.#vector(`${at}attn.b_O`);
    for (let head = 0; head < this.#sizes.heads; head++) {
      const value = plus(times(this.#beta(`${at}ln1`), this.#perHead(`${at}attn.W_V`, head)), this.#perHead(`${at}attn.b_V`, head)[0]!);
      times(value, this.#perHead(`${at}attn.W_O`, head)).forEach((one, i) => (bias[i]! += one));
    }
    return bias;
  }

  #embedding(): number[][] {
    const [words, places] = [this.#matrix('embed.W_E'), this.#matrix('pos_embed.W_pos')];
    return this.#tokens.map((token, at) => plus(words[token]!, places[at]!));
  }

  #inverseOf(row: readonly number[]): number {
    if (!this.#isNormed) return 1;
    const centred = this.#centre(row);
    return 1 / Math.sqrt(dot(centred, centred) / row.length + 1e-5);
  }

  #centre(row: readonly number[]): number[] {
    const mean = this.#centres ? row.reduce((sum, value) => sum + value, 0) / row.length : 0;
    return row.map((value) => value - mean);
  }

  /** Without β. */
  #normed(row: readonly number[], name: string, inverse: number): number[] {
    if (!this.#isNormed) return [...row];
    const gamma = this.#tensors.has(`${name}.w`) ? this.#vector(`${name}.w`) : row.map(() => 1);
    return this.#centre(row).map((value, i) => value * inverse * gamma[i]!);
  }

  #beta(name: string): number[] {
    return this.#tensors.has(`${name}.b`) ? this.#vector(`${name}.b`) : new Array<number>(this.#sizes.d).fill(0);
  }

  #vector(name: string): number[] {
    return [...this.#tensors.get(name)!.data];
  }

  #matrix(name: string): number[][] {
    const { data, shape } = this.#tensors.get(name)!;
    return rowsOf([...data], shape[1]!);
  }

  #perHead(name: string, head: number): number[][] {
    const { data, shape } = this.#tensors.get(name)!;
    const size = data.length / shape[0]!;
    return rowsOf(Array.from(data.subarray(head * size, (head + 1) * size)), shape.at(-1)!);
  }
}

/** Whether `cut` is what the writer wrote `at` a token, for the reader's `query`. */
function isCut(cut: PlacedEdge | null, writer: string, at: number, reader: string, query: number): boolean {
  if (cut === null) return false;
  const { from, to } = cut;
  return printNode(from.node) === writer && from.position === at && printNode(to.node) === reader && (to.position ?? query) === query;
}

function rowsOf(values: number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function times(row: readonly number[], matrix: readonly (readonly number[])[]): number[] {
  return matrix[0]!.map((_, column) => row.reduce((sum, value, i) => sum + value * matrix[i]![column]!, 0));
}

function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
