import { compositionGraph, givenHeadsGraph, headMatricesGraph, headMatricesName } from './graphs/composition.ts';
import { Draws } from './generators/draws.ts';
import type { Model } from './model.ts';
import { tensor, type FloatTensor } from './runtime.ts';

/** Composition of heads, off the weights alone [M20]. Source: "A Mathematical Framework for Transformer Circuits". */

/** What composition needs of heads that write [M20]: `o` [H, dh, d], W_Vᵀ·W_V [H, dh, dh], ‖OV‖ [H]. */
export interface HeadWriters {
  o: FloatTensor;
  gramV: FloatTensor;
  normOv: FloatTensor;
}

/** What it needs of heads that read as well: weights [d, H·dh], Gram matrices [H, dh, dh], ‖QK‖ [H]. */
export interface HeadMatrices extends HeadWriters {
  q: FloatTensor;
  k: FloatTensor;
  v: FloatTensor;
  gramQ: FloatTensor;
  gramK: FloatTensor;
  gramO: FloatTensor;
  normQk: FloatTensor;
}

/**
 * Of two heads [M20]: ‖OV₁·QK₂‖ and so on over the product of the norms, 0…1, null where that product is 0; and
 * ‖OV₁·OV₂‖ itself.
 */
export interface Composition {
  q: number | null;
  k: number | null;
  v: number | null;
  ovNorm: number;
}

/** Heads on each side of the random baseline: each of the first into each of the second. */
const RANDOM_HEADS = 8;

/** The matrices of a layer's heads as composition needs them; `foldNorm` as in headMatricesGraph. */
export async function headMatrices(model: Model, layer: number, foldNorm: boolean): Promise<HeadMatrices> {
  return matricesOf(await model.run(headMatricesName(layer, foldNorm), (spec) => headMatricesGraph(spec, layer, foldNorm), {}));
}

/** The outputs of a graph of graphs/composition.ts by name. */
function matricesOf(outputs: Record<string, FloatTensor>): HeadMatrices {
  const { o, q, k, v, gramQ, gramK, gramV, gramO, normQk, normOv } = outputs;
  const grams = { gramQ: gramQ!, gramK: gramK!, gramV: gramV!, gramO: gramO! };
  return { o: o!, q: q!, k: k!, v: v!, ...grams, normQk: normQk!, normOv: normOv! };
}

/** Every head of `first` into every head of `second`, [H1][H2]. */
export async function compositions(model: Model, first: HeadWriters, second: HeadMatrices): Promise<Composition[][]> {
  const { q, k, v, gramQ, gramK, gramO, normQk, normOv } = second;
  const feeds = { firstO: first.o, firstGramV: first.gramV, q, k, v, gramQ, gramK, gramO };
  const { products } = await model.run('composition', compositionGraph, feeds);
  const [, rows, columns] = products!.dims as [number, number, number];
  return Array.from({ length: rows }, (_, one) =>
    Array.from({ length: columns }, (_, two) => {
      const [qNorm, kNorm, vNorm] = [0, 1, 2].map((kind) => products!.data[(kind * rows + one) * columns + two]!) as [
        number,
        number,
        number,
      ];
      const ov = first.normOv.data[one]!;
      const [qk, ov2] = [normQk.data[two]!, normOv.data[two]!];
      return { q: share(qNorm, ov * qk), k: share(kNorm, ov * qk), v: share(vNorm, ov * ov2), ovNorm: vNorm };
    }),
  );
}

function share(product: number, norms: number): number | null {
  return norms === 0 ? null : product / norms;
}

/** Composition of random heads of the model's shapes: entries normal and independent, {@link RANDOM_HEADS}² pairs. */
export async function randomCompositions(model: Model, seed: number): Promise<Composition[]> {
  const { dModel, dHead } = model.spec;
  const normal = normals(new Draws(seed, dModel, dHead));
  const drawn = (count: number) => Float32Array.from({ length: count * RANDOM_HEADS * dModel * dHead }, normal);
  const draw = async () => {
    const readers = tensor(drawn(3), [3, RANDOM_HEADS, dModel, dHead]);
    const writers = tensor(drawn(1), [RANDOM_HEADS, dHead, dModel]);
    return matricesOf(await model.run('given-heads', givenHeadsGraph, { readers, writers }));
  };
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
