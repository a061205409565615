import type { Dictionary } from './dictionary.ts';
import { FrozenMaps, type Component } from './frozen-maps.ts';
import {
  detailsGraph,
  detailsGraphName,
  featureDirectionsGraph,
  featureRowsGraph,
  frozenMlpNormGraph,
  mlpNormGraph,
  splitGraph,
  splitGraphName,
  sumOfSourcesGraph,
  type Share,
} from './graphs/features.ts';
import type { CleanRun, Model } from './model.ts';
import { printNode } from './names.ts';
import { indices, slice, slices, tensor, type FloatTensor } from './runtime.ts';
import { sourceRows } from './spec.ts';
import { stagesOf } from './stages.ts';

/** Numbers of [directions, tokens, features] that are in memory at once, 64 MiB. */
const SPLIT_NUMBERS = 16 * 1024 * 1024;

/** A vector that a dictionary explains, [S, d] each: all of it, or what a path carries. */
export interface Explained {
  share: Share;
  actual: FloatTensor;
  /** what the path brings to the encoder; null of the whole */
  carried: FloatTensor | null;
}

/** A reading of an explained vector along J directions: ⟨U, actual⟩ = Σ totals + Σ biases + Σ errors for each. */
export interface Split {
  /** [J, F] */
  totals: FloatTensor;
  /** [J, S] */
  errors: FloatTensor;
  /** [J, S]; null of a carried share */
  biases: FloatTensor | null;
}

/** Chosen features at every token, [S, K] each. */
export interface FeatureDetails {
  preactivations: FloatTensor;
  activations: FloatTensor;
  values: FloatTensor;
  weights: FloatTensor;
}

/** What chosen features read and write, [K, d] each. */
export interface FeatureRows {
  encoders: FloatTensor;
  decoders: FloatTensor;
}

/** One dictionary on one run: what it reads, what it explains, and the frozen map that it is [D2]. */
export class FeatureMaps {
  readonly maps: FrozenMaps;
  #input: Promise<FloatTensor> | null = null;

  constructor(
    readonly model: Model,
    readonly run: CleanRun,
    readonly dictionary: Dictionary,
  ) {
    this.maps = new FrozenMaps(model, run);
  }

  get spec() {
    return this.dictionary.spec;
  }

  /** What the encoder reads in the run, [S, d]. */
  input(): Promise<FloatTensor> {
    return (this.#input ??= this.#makeInput());
  }

  /** All that it explains. */
  async whole(): Promise<Explained> {
    return { share: 'whole', actual: await this.explained(), carried: null };
  }

  /** The stream at its point, or the output of its MLP with its own bias, [S, d]. */
  explained(): Promise<FloatTensor> {
    return this.spec.kind === 'residual' ? this.#stream() : this.#mlpOutput();
  }

  /** What a path carries: `x` [S, d] on the stream, before its MLP or at its point. */
  async carried(x: FloatTensor): Promise<Explained> {
    const { kind, layer, readsNormed } = this.spec;
    if (kind === 'residual') return { share: 'carried', actual: x, carried: x };
    const one = tensor(x.data, [1, ...x.dims]);
    const actual = slice(await this.maps.push({ kind: 'mlp', layer }, one), 0);
    if (kind === 'mlp-out') return { share: 'carried', actual, carried: actual };
    return { share: 'carried', actual, carried: readsNormed ? slice((await this.#frozenNorm(one)).forwards, 0) : x };
  }

  /** @param directions [J, S, d] */
  async split({ share, actual, carried }: Explained, directions: FloatTensor): Promise<Split> {
    const { width } = this.spec;
    const [count, tokens] = directions.dims as [number, number, number];
    const split: Split = {
      totals: tensor(new Float32Array(count * width), [count, width]),
      errors: tensor(new Float32Array(count * tokens), [count, tokens]),
      biases: share === 'whole' ? tensor(new Float32Array(count * tokens), [count, tokens]) : null,
    };
    const input = await this.input();
    const rows = Math.max(1, Math.min(tokens, Math.floor(SPLIT_NUMBERS / width)));
    const step = Math.max(1, Math.floor(SPLIT_NUMBERS / (rows * width)));
    for (let from = 0; from < count; from += step) {
      const some = slices(directions, from, Math.min(step, count - from));
      for (let token = 0; token < tokens; token += rows) {
        const part = (x: FloatTensor) => slices(x, token, Math.min(rows, tokens - token));
        const outputs = await this.dictionary.run(splitGraphName(share), (spec) => splitGraph(spec, share), {
          input: part(input),
          actual: part(actual),
          carried: carried && part(carried),
          directions: tokenRows(some, token, Math.min(rows, tokens - token)),
        });
        addInto(split, outputs, from, token);
      }
    }
    return split;
  }

  /** @param direction [S, d] */
  async details({ share, carried }: Explained, direction: FloatTensor, features: readonly number[]): Promise<FeatureDetails> {
    const input = await this.input();
    const [tokens] = direction.dims as [number];
    const count = features.length;
    const made = () => tensor(new Float32Array(tokens * count), [tokens, count]);
    const details: FeatureDetails = { preactivations: made(), activations: made(), values: made(), weights: made() };
    const rows = Math.max(1, Math.floor(SPLIT_NUMBERS / this.spec.width));
    for (let token = 0; token < tokens; token += rows) {
      const part = (x: FloatTensor) => slices(x, token, Math.min(rows, tokens - token));
      const outputs = await this.dictionary.run(detailsGraphName(share), (spec) => detailsGraph(spec, share), {
        input: part(input),
        carried: carried && part(carried),
        direction: part(direction),
        features: indices(features),
      });
      for (const name of ['preactivations', 'activations', 'values', 'weights'] as const)
        details[name].data.set(outputs[name]!.data, token * count);
    }
    return details;
  }

  async rows(features: readonly number[]): Promise<FeatureRows> {
    const { encoders, decoders } = await this.dictionary.run('feature-rows', featureRowsGraph, { features: indices(features) });
    return { encoders: encoders!, decoders: decoders! };
  }

  /**
   * Features as directions at the encoder's input, [K, S, d], each token counted by `weights` [S, K]; `own` [K] is what
   * the biases of encoder and decoder bring.
   */
  async directions(features: readonly number[], weights: FloatTensor): Promise<{ directions: FloatTensor; own: Float32Array }> {
    const feeds = { features: indices(features), weights };
    const { directions, own } = await this.dictionary.run('feature-directions', featureDirectionsGraph, feeds);
    return { directions: directions!, own: own!.data };
  }

  /**
   * Directions at the encoder's input, [J, S, d], as directions on the stream that is read: at the point of a residual
   * dictionary, before the MLP of another. `own` [J] is what they read of what no earlier node wrote: β of the norm.
   */
  async pull(directions: FloatTensor): Promise<{ pulled: FloatTensor; own: Float32Array }> {
    const { kind, layer, readsNormed } = this.spec;
    const nothing = new Float32Array(directions.dims[0]!);
    if (kind === 'residual' || (kind === 'transcoder' && !readsNormed)) return { pulled: directions, own: nothing };
    if (kind === 'mlp-out') return { pulled: await this.maps.pull({ kind: 'mlp', layer }, directions), own: nothing };
    const { backwards, beta } = await this.#frozenNorm(directions);
    const tokens = beta.dims[1]!;
    const own = nothing.map((_, row) => beta.data.subarray(row * tokens, (row + 1) * tokens).reduce((sum, value) => sum + value, 0));
    return { pulled: backwards, own };
  }

  async #makeInput(): Promise<FloatTensor> {
    const { kind, layer, readsNormed } = this.spec;
    if (kind !== 'transcoder') return this.explained();
    const stream = slice(this.run.beforeMlp!, layer);
    if (!readsNormed) return stream;
    return (await this.model.run(`mlp-norm-${layer}`, (spec) => mlpNormGraph(spec, layer), { stream }))['normed']!;
  }

  async #stream(): Promise<FloatTensor> {
    const stage = stagesOf(this.model.spec)[this.spec.stage];
    if (stage) return slice(stage.attention ? this.run.beforeAttention : this.run.beforeMlp!, stage.layer);
    return this.sum(this.run.sources);
  }

  #mlpOutput(): Promise<FloatTensor> {
    const row = sourceRows(this.model.spec).get(printNode(this.component()))!;
    // The row behind an `m{l}` is its own bias.
    return this.sum(slices(this.run.sources, row, 2));
  }

  /** The MLP whose output it explains; not of a residual dictionary. */
  component(): Component {
    return { kind: 'mlp', layer: this.spec.layer };
  }

  /** [N, S, d] together, [S, d]. */
  async sum(sources: FloatTensor): Promise<FloatTensor> {
    return (await this.model.run('sum-of-sources', sumOfSourcesGraph, { sources }))['sum']!;
  }

  async #frozenNorm(x: FloatTensor): Promise<{ forwards: FloatTensor; backwards: FloatTensor; beta: FloatTensor }> {
    const { layer } = this.spec;
    const { inverse2 } = this.run;
    const outputs = await this.model.run(`frozen-mlp-norm-${layer}`, (spec) => frozenMlpNormGraph(spec, layer), {
      x,
      inverse: inverse2 && slice(inverse2, layer),
    });
    return { forwards: outputs['forwards']!, backwards: outputs['backwards']!, beta: outputs['beta']! };
  }
}

/** Tokens `from` to `from + count` of [J, S, d]; a view where they are all. */
function tokenRows(x: FloatTensor, from: number, count: number): FloatTensor {
  const [items, tokens, width] = x.dims as [number, number, number];
  if (count === tokens) return x;
  const data = new Float32Array(items * count * width);
  for (let item = 0; item < items; item++) {
    const start = (item * tokens + from) * width;
    data.set(x.data.subarray(start, start + count * width), item * count * width);
  }
  return tensor(data, [items, count, width]);
}

/** Adds what some directions read at some tokens to the whole split. */
function addInto(split: Split, outputs: Record<string, FloatTensor>, direction: number, token: number): void {
  const { data: totals, dims } = outputs['totals']!;
  const width = dims[1]!;
  totals.forEach((value, index) => (split.totals.data[direction * width + index]! += value));
  for (const name of ['errors', 'biases'] as const) {
    const whole = split[name];
    const part = outputs[name];
    if (!whole || !part) continue;
    const [rows, count] = part.dims as [number, number];
    const tokens = whole.dims[1]!;
    for (let row = 0; row < rows; row++)
      whole.data.set(part.data.subarray(row * count, (row + 1) * count), (direction + row) * tokens + token);
  }
}
