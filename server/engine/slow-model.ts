import type { RandomModel, RandomTensor } from './random-model.ts';

/**
 * An independent forward pass in float64 with plain loops, written from the architectures' definitions alone:
 * what the graphs are held against in tests.
 */

export type Matrix = number[][];

/** A block by name, and what it writes for the stream it reads. */
export interface SlowBlock {
  name: string;
  write(x: Matrix): Matrix;
}

export class SlowModel {
  readonly #tensors: ReadonlyMap<string, RandomTensor>;
  readonly #config: Record<string, unknown>;

  constructor({ config, tensors }: RandomModel) {
    this.#config = config;
    this.#tensors = new Map(tensors.map((tensor) => [tensor.name.replace(/^transformer\./, ''), tensor]));
  }

  /** Logits at the last token. */
  logits(tokens: readonly number[]): number[] {
    let x = this.embed(tokens);
    for (const { write } of this.blocks) x = sum(x, write(x));
    return this.read(x.at(-1)!);
  }

  /** The stream before the first block, [S, d]. */
  embed(tokens: readonly number[]): Matrix {
    const [words, places] = this.#isGpt2 ? ['wte.weight', 'wpe.weight'] : ['embed.W_E', 'pos_embed.W_pos'];
    const [embed, position] = [this.#matrix(words!), this.#matrix(places!)];
    return tokens.map((token, at) => add(embed[token]!, position[at]!));
  }

  /** Attention and MLP of each layer, biases included, each on the stream [S, d] it is given. */
  get blocks(): SlowBlock[] {
    const layers = this.#config[this.#isGpt2 ? 'n_layer' : 'n_layers'] as number;
    return Array.from({ length: layers }, (_, layer): SlowBlock[] => {
      const attention = { name: `a${layer}`, write: (x: Matrix) => this.#attention(x, layer) };
      return this.#config['attn_only'] ? [attention] : [attention, { name: `m${layer}`, write: (x: Matrix) => this.#mlp(x, layer) }];
    }).flat();
  }

  /** Logits of one row of the final stream. */
  read(row: readonly number[]): number[] {
    if (!this.#isGpt2) {
      return affine(this.#lensNorm([[...row]], 'ln_final'), this.#matrix('unembed.W_U'), this.#vector('unembed.b_U'))[0]!;
    }
    const last = this.#layerNorm([[...row]], 'ln_f.weight', 'ln_f.bias')[0]!;
    return this.#matrix(this.#config['tie_word_embeddings'] ? 'wte.weight' : 'lm_head.weight').map((word) => dot(word, last));
  }

  get #isGpt2(): boolean {
    return this.#config['model_type'] === 'gpt2';
  }

  #attention(x: Matrix, layer: number): Matrix {
    return this.#isGpt2 ? this.#gpt2Attention(x, `h.${layer}.`) : this.#lensAttention(x, `blocks.${layer}.`);
  }

  #mlp(x: Matrix, layer: number): Matrix {
    return this.#isGpt2 ? this.#gpt2Mlp(x, `h.${layer}.`) : this.#lensMlp(x, `blocks.${layer}.`);
  }

  #gpt2Attention(x: Matrix, at: string): Matrix {
    const heads = this.#config['n_head'] as number;
    const d = x[0]!.length;
    const normed = this.#layerNorm(x, `${at}ln_1.weight`, `${at}ln_1.bias`);
    const qkv = affine(normed, this.#matrix(`${at}attn.c_attn.weight`), this.#vector(`${at}attn.c_attn.bias`));
    const dh = d / heads;
    const mixed = x.map(() => [] as number[]);
    for (let head = 0; head < heads; head++) {
      const part = (index: number) => qkv.map((row) => row.slice(index * d + head * dh, index * d + (head + 1) * dh));
      attend(part(0), part(1), part(2)).forEach((row, index) => mixed[index]!.push(...row));
    }
    return affine(mixed, this.#matrix(`${at}attn.c_proj.weight`), this.#vector(`${at}attn.c_proj.bias`));
  }

  #gpt2Mlp(x: Matrix, at: string): Matrix {
    const normed = this.#layerNorm(x, `${at}ln_2.weight`, `${at}ln_2.bias`);
    const hidden = affine(normed, this.#matrix(`${at}mlp.c_fc.weight`), this.#vector(`${at}mlp.c_fc.bias`));
    const active = hidden.map((row) => row.map((h) => activate(this.#config['activation_function'] as string, h)));
    return affine(active, this.#matrix(`${at}mlp.c_proj.weight`), this.#vector(`${at}mlp.c_proj.bias`));
  }

  #lensAttention(x: Matrix, at: string): Matrix {
    const normed = this.#lensNorm(x, `${at}ln1`);
    let change: Matrix = x.map(() => this.#vector(`${at}attn.b_O`));
    for (let head = 0; head < (this.#config['n_heads'] as number); head++) {
      const project = (part: string) =>
        affine(normed, this.#perHead(`${at}attn.W_${part}`, head), this.#perHead(`${at}attn.b_${part}`, head)[0]!);
      const mixed = attend(project('Q'), project('K'), project('V'));
      const output = this.#perHead(`${at}attn.W_O`, head);
      change = sum(change, affine(mixed, output, new Array<number>(output[0]!.length).fill(0)));
    }
    return change;
  }

  #lensMlp(x: Matrix, at: string): Matrix {
    const hidden = affine(this.#lensNorm(x, `${at}ln2`), this.#matrix(`${at}mlp.W_in`), this.#vector(`${at}mlp.b_in`));
    const active = hidden.map((row) => row.map((h) => activate(this.#config['act_fn'] as string, h)));
    return affine(active, this.#matrix(`${at}mlp.W_out`), this.#vector(`${at}mlp.b_out`));
  }

  #lensNorm(x: Matrix, name: string): Matrix {
    const type = this.#config['normalization_type'] as string | null;
    if (type === null) return x;
    const gamma = this.#tensors.has(`${name}.w`) ? this.#vector(`${name}.w`) : x[0]!.map(() => 1);
    const beta = this.#tensors.has(`${name}.b`) ? this.#vector(`${name}.b`) : x[0]!.map(() => 0);
    return x.map((row) => normalise(row, gamma, beta, type.startsWith('LN')));
  }

  #layerNorm(x: Matrix, gamma: string, beta: string): Matrix {
    return x.map((row) => normalise(row, this.#vector(gamma), this.#vector(beta), true));
  }

  #tensor(name: string): RandomTensor {
    return this.#tensors.get(name)!;
  }

  #vector(name: string): number[] {
    return [...this.#tensor(name).data];
  }

  #matrix(name: string): Matrix {
    const { data, shape } = this.#tensor(name);
    return rowsOf([...data], shape[1]!);
  }

  /** One head's part of a per-head tensor. */
  #perHead(name: string, head: number): Matrix {
    const { data, shape } = this.#tensor(name);
    const size = data.length / shape[0]!;
    return rowsOf(Array.from(data.subarray(head * size, (head + 1) * size)), shape.at(-1)!);
  }
}

function rowsOf(values: number[], width: number): Matrix {
  return Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + b[index]!);
}

export function sum(a: Matrix, b: Matrix): Matrix {
  return a.map((row, index) => add(row, b[index]!));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, index) => total + value * b[index]!, 0);
}

export function affine(x: Matrix, weight: Matrix, bias: readonly number[]): Matrix {
  return x.map((row) => bias.map((shift, column) => row.reduce((total, value, index) => total + value * weight[index]![column]!, shift)));
}

export function normalise(row: readonly number[], gamma: readonly number[], beta: readonly number[], centre: boolean): number[] {
  const mean = centre ? row.reduce((total, value) => total + value, 0) / row.length : 0;
  const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
  const sigma = Math.sqrt(variance + 1e-5);
  return row.map((value, index) => ((value - mean) / sigma) * gamma[index]! + beta[index]!);
}

function attend(q: Matrix, k: Matrix, v: Matrix): Matrix {
  const scale = 1 / Math.sqrt(q[0]!.length);
  return q.map((query, at) => {
    const scores = k.slice(0, at + 1).map((key) => dot(query, key) * scale);
    const highest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((a, b) => a + b, 0);
    return v[0]!.map((_, column) => weights.reduce((value, weight, index) => value + (weight / total) * v[index]![column]!, 0));
  });
}

/** Φ by the series of the error function, good to float64 for |x| < 6. */
function normalCdf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    total += term / (2 * n + 1);
  }
  return Math.abs(x) > 6 ? Number(x > 0) : 0.5 + total / Math.sqrt(2 * Math.PI);
}

function activate(name: string, h: number): number {
  switch (name) {
    case 'relu':
      return Math.max(0, h);
    case 'gelu':
      return h * normalCdf(h);
    case 'gelu_new':
    case 'gelu_pytorch_tanh':
      return 0.5 * h * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (h + 0.044715 * h ** 3)));
    case 'silu':
      return h / (1 + Math.exp(-h));
    default:
      throw new Error(`no activation ${name}`);
  }
}
