import { compositions, headMatrices, randomCompositions, type Composition, type HeadWriters } from '../composition.ts';
import { EngineError } from '../errors.ts';
import type { Model } from '../model.ts';
import { printEdge } from '../names.ts';
import type { Term } from '../request.ts';
import type { Outcome, WeightsAsked } from './view.ts';

/** Matrices of earlier layers that are kept, in bytes; beyond it they are read again for every later layer. */
const KEPT_BYTES = 256 * 1024 * 1024;

/**
 * Composition of every head into every head of a later layer, off the raw weights [M20]: q, k and v in 0…1, named
 * `a0.h0->a1.h1`. `baseline` is of random heads of the same shapes, drawn with `seed`. `foldNorm` folds γ and
 * centring of each head's reading norm into W_Q, W_K and W_V. Rotary phases are left out. A number is null where
 * one of its two norms is 0. `top` lists the pairs with the largest q, k or v.
 * @throws EngineError `unsupported` for a model of one layer
 */
export async function compositionView({ model, top, seed, foldNorm, control }: WeightsAsked): Promise<Outcome> {
  const { layers, heads, rotary } = model.spec;
  if (layers < 2) throw new EngineError('unsupported', 'composition', 'a model of at least two layers', `${layers}`);
  const terms: Term[] = [];
  const earlier = new Earlier(model, foldNorm);
  for (let later = 1; later < layers; later++) {
    const second = await headMatrices(model, later, foldNorm);
    for (let layer = 0; layer < later; layer++) {
      await control.checkpoint();
      const table = await compositions(model, await earlier.at(layer), second);
      table.forEach((row, head) => row.forEach((pair, into) => terms.push(termOf([layer, head], [later, into], pair))));
      control.progress(terms.length, (heads * heads * layers * (layers - 1)) / 2, 'pairs of heads');
    }
    earlier.keep(later, second);
  }
  const isUndefined = terms.some(({ q, k, v }) => q === null || k === null || v === null);
  return {
    terms: strongest(terms, top),
    baseline: baselineOf(await randomCompositions(model, seed)),
    notes: [
      ...(rotary ? ['Rotary phases are left out of q and k [M20].'] : []),
      ...(isUndefined ? ["null: a head's matrix is 0, so that it has no share in the product of the norms."] : []),
    ],
  };
}

/** Matrices of layers by which others are read, as many as fit. */
class Earlier {
  readonly #kept = new Map<number, HeadWriters>();
  #bytes = 0;

  constructor(
    readonly model: Model,
    readonly foldNorm: boolean,
  ) {}

  async at(layer: number): Promise<HeadWriters> {
    const known = this.#kept.get(layer);
    if (known) return known;
    const read = await headMatrices(this.model, layer, this.foldNorm);
    this.keep(layer, read);
    return read;
  }

  keep(layer: number, { o, gramV, normOv }: HeadWriters): void {
    const bytes = o.data.byteLength + gramV.data.byteLength;
    if (this.#bytes + bytes > KEPT_BYTES) return;
    this.#bytes += bytes;
    this.#kept.set(layer, { o, gramV, normOv });
  }
}

function termOf([layer, head]: [number, number], [later, into]: [number, number], { q, k, v }: Composition): Term {
  const to = { node: { kind: 'head', layer: later, head: into }, slot: null } as const;
  return { name: printEdge({ from: { kind: 'head', layer, head }, to }), q, k, v };
}

/** The `top` pairs with the largest of their three numbers, in their own order; null is below all of them. */
function strongest(terms: Term[], top: number | null): Term[] {
  if (top === null || top >= terms.length) return terms;
  const strength = ({ q, k, v }: Term) => Math.max(q ?? -1, k ?? -1, v ?? -1);
  const kept = new Set(terms.toSorted((a, b) => strength(b) - strength(a)).slice(0, top));
  return terms.filter((term) => kept.has(term));
}

function baselineOf(pairs: readonly Composition[]): NonNullable<Outcome['baseline']> {
  const of = (kind: 'q' | 'k' | 'v') => {
    const values = pairs.flatMap((pair) => pair[kind] ?? []);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
  };
  return { q: of('q'), k: of('k'), v: of('v') };
}
