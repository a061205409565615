import { compositions, headMatrices } from '../composition.ts';
import { EngineError } from '../errors.ts';
import { patternProductGraph } from '../graphs/heads.ts';
import { checkNode, parsePath, printPositions, type Node } from '../names.ts';
import type { Term } from '../request.ts';
import { slice } from '../runtime.ts';
import type { ModelSpec } from '../spec.ts';
import { identity, largest, type Asked, type Outcome } from './view.ts';

type Head = Extract<Node, { kind: 'head' }>;

/**
 * The virtual head of an edge `a0.h1->a1.h2` [M20]: (A₂A₁) ⊗ (OV₁OV₂). Terms are the entries of the pattern A₂A₁, `7<-3`
 * for query 7 and key 3. Its rows sum to 1, so all entries sum to the number of tokens up to the position: that is `whole`, and `sum` and
 * `error` are measured against it. ‖OV₁·OV₂‖ and the pair's v-composition, off the raw weights, are in `settings`.
 * `top` lists the largest entries.
 * @throws EngineError `bad-request` or `bad-path` unless `edges` is one edge from a head to a head of a later layer
 */
export async function virtualHeadView({ model, question, edges, top }: Asked): Promise<Outcome> {
  const [first, second] = headsOf(edges, model.spec);
  const { patterns } = await model.clean(question.tokens);
  const { product } = await model.run('pattern-product', patternProductGraph, {
    first: slice(slice(patterns, first.layer), first.head),
    second: slice(slice(patterns, second.layer), second.head),
  });
  const table = await compositions(model, await headMatrices(model, first.layer, false), await headMatrices(model, second.layer, false));
  const { v, ovNorm } = table[first.head]![second.head]!;
  const length = question.tokens.length;
  const { terms, remainder } = largest(entriesOf(product!.data, length), top);
  return {
    ...identity(terms, remainder, length),
    whole: { name: 'tokens', value: length },
    settings: { ovNorm, vComposition: v },
    notes: [
      'Entries of A₂A₁; each row sums to 1, so whole is the number of tokens, not the metric. ovNorm and vComposition are of the raw weights.',
      ...(v === null ? ['vComposition is null, since one of the heads has an OV matrix of 0.'] : []),
    ],
  };
}

function entriesOf(product: Float32Array, length: number): Term[] {
  const terms: Term[] = [];
  for (let query = 0; query < length; query++) {
    for (let key = 0; key <= query; key++) terms.push({ name: printPositions(query, key), value: product[query * length + key]! });
  }
  return terms;
}

function headsOf(edges: readonly string[], spec: ModelSpec): [Head, Head] {
  const [edge] = edges;
  if (edges.length !== 1) throw new EngineError('bad-request', 'edges', 'one edge of two heads, such as a0.h1->a1.h2', `${edges.length}`);
  const path = parsePath(edge!);
  const where = `edge ${JSON.stringify(edge)}`;
  const [first, second] = path.map(({ node, slot }) => {
    checkNode(node, spec, where);
    if (node.kind !== 'head' || (slot !== null && slot !== 'v')) {
      throw new EngineError('bad-path', where, 'heads, entered by <v> if by one slot', edge!);
    }
    return node;
  }) as [Head, Head];
  if (path.length !== 2) throw new EngineError('bad-path', where, 'two heads', `${path.length}`);
  if (first.layer >= second.layer) throw new EngineError('bad-path', where, 'a head of a later layer at its end', edge!);
  return [first, second];
}
