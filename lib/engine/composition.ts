import { compositionGraph, givenHeadsGraph, headMatricesGraph, headMatricesName } from './graphs/composition.ts';
import { Draws } from './generators/draws.ts';
import type { Model } from './model.ts';
import { tensor, type FloatTensor } from './runtime.ts';

/** Composition of heads, off the weights alone [M20]. Source: "A Mathematical Framework for Transformer Circuits". */

/** What graphs/composition.ts gives of some heads. */
export type HeadMatrices = Record<string, FloatTensor>;

/** Of two heads: ‖OV₁·QK₂‖ and so on over the product of the norms, 0…1; and ‖OV₁·OV₂‖ itself. */
export interface Composition {
  q: number;
  k: number;
  v: number;
  ovNorm: number;
}

/** Heads on each side of the random baseline: each of the first into each of the second. */
const RANDOM_HEADS = 8;

/** The matrices of a layer's heads as composition needs them; `foldNorm` as in headMatricesGraph. */
export function headMatrices(model: Model, layer: number, foldNorm: boolean): Promise<HeadMatrices> {
  return model.run(headMatricesName(layer, foldNorm), (spec) => headMatricesGraph(spec, layer, foldNorm), {});
}

/** Every head of `first` into every head of `second`, [H1][H2]. */
export async function compositions(model: Model, first: HeadMatrices, second: HeadMatrices): Promise<Composition[][]> {
  const { q, k, v, gramQ, gramK, gramO, normQk, normOv } = second;
  const feeds = { firstO: first['o']!, firstGramV: first['gramV']!, q: q!, k: k!, v: v!, gramQ: gramQ!, gramK: gramK!, gramO: gramO! };
  const { products } = await model.run('composition', compositionGraph, feeds);
  const [, rows, columns] = products!.dims as [number, number, number];
  return Array.from({ length: rows }, (_, one) =>
    Array.from({ length: columns }, (_, two) => {
      const [qNorm, kNorm, vNorm] = [0, 1, 2].map((kind) => products!.data[(kind * rows + one) * columns + two]!) as [
        number,
        number,
        number,
      ];
      const ov = first['normOv']!.data[one]!;
      const [qk, ov2] = [normQk!.data[two]!, normOv!.data[two]!];
      return { q: share(qNorm, ov * qk), k: share(kNorm, ov * qk), v: share(vNorm, ov * ov2), ovNorm: vNorm };
    }),
  );
}

/** 0 where a head's matrix is 0. */
function share(product: number, norms: number): number {
  return norms === 0 ? 0 : product / norms;
}

/** Composition of random heads of the model's shapes: entries normal and independent, {@link RANDOM_HEADS}² pairs. */
export async function randomCompositions(model: Model, seed: number): Promise<Composition[]> {
  const { dModel, dHead } = model.spec;
  const normal = normals(new Draws(seed, dModel, dHead));
  const drawn = (count: number) => Float32Array.from({ length: count * RANDOM_HEADS * dModel * dHead }, normal);
  const draw = () =>
    model.run('given-heads', givenHeadsGraph, {
      readers: tensor(drawn(3), [3, RANDOM_HEADS, dModel, dHead]),
      writers: tensor(drawn(1), [RANDOM_HEADS, dHead, dModel]),
    });
  return (await compositions(model, await draw(), await draw())).flat();
}

/** Standard normal draws (Box and Muller). */
function normals(draws: Draws): () => number {
  let kept: number | null = null;
  return () => {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - draws.next()));
    const angle = 2 * Math.PI * draws.next();
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
