import { changesOf } from '../changes.ts';
import { SLOTS, everyEdge, writerIndex, writersBefore } from '../edge-runs.ts';
import { attributionGraph, attributionName } from '../graphs/backward.ts';
import { interpolateGraph } from '../graphs/outputs.ts';
import { causalMask, metricFeeds } from '../model.ts';
import { printEdge, type Edge } from '../names.ts';
import type { Term } from '../request.ts';
import { indices, slice, tensor, type FloatTensor } from '../runtime.ts';
import type { ModelSpec } from '../spec.ts';
import { PRODUCT_ROWS } from '../trie.ts';
import { referenceSources, referenceTokens } from './reference.ts';
import { largest, type Asked, type Outcome } from './view.ts';

/**
 * Edge attribution [M21] of every edge, heads by slot: ⟨out_u of the reference − out_u, ∂metric/∂in_v⟩ with the gradient
 * of the clean run (EAP), or with `steps` its mean over inputs between clean and reference (EAP-IG). An approximation of
 * what `edge-patch` changes. `top` lists the largest.
 */
export async function attributionView(asked: Asked): Promise<Outcome> {
  const { model, steps, top } = asked;
  const tokens = referenceTokens(asked);
  const scores = steps === null && tokens ? await scoresOfPair(asked, tokens) : await scoresOfChanges(asked);
  const terms = everyEdge(model.spec).map((edge): Term => ({ name: printEdge(edge), value: scores.of(edge, model.spec) }));
  return { terms: largest(terms, top).terms, reference: asked.reference };
}

/** Against the run of another prompt: both runs in one pass. */
async function scoresOfPair({ model, question }: Asked, reference: readonly number[]): Promise<Scores> {
  const length = question.tokens.length;
  const scores = new Scores();
  const tokens = indices([...question.tokens, ...reference], [2, length]);
  const feeds = { ...metricFeeds(question), tokens, mask: causalMask(length) };
  scores.add(await model.run(attributionName('pair'), (spec) => attributionGraph(spec, 'pair'), feeds), 1);
  return scores;
}

/** Against outputs that are no one run's, or averaged over inputs between the two. */
async function scoresOfChanges(asked: Asked): Promise<Scores> {
  const { model, question, control, steps } = asked;
  const run = await model.clean(question.tokens);
  const { change } = await changesOf(model, run, await referenceSources(asked));
  const shares = steps === null ? [0] : Array.from({ length: steps }, (_, k) => (k + 1) / steps);
  const batch = Math.max(1, Math.floor(PRODUCT_ROWS / question.tokens.length));
  const start = steps === null ? 'clean' : 'between';
  const scores = new Scores();
  for (let from = 0; from < shares.length; from += batch) {
    await control.checkpoint();
    const { embeddings } = await model.run('interpolate', interpolateGraph, {
      clean: slice(run.sources, 0),
      change: slice(change, 0),
      shares: tensor(Float32Array.from(shares.slice(from, from + batch)), [Math.min(batch, shares.length - from)]),
    });
    const feeds = { ...metricFeeds(question), embeddings: embeddings!, change, mask: causalMask(question.tokens.length) };
    scores.add(await model.run(attributionName(start), (spec) => attributionGraph(spec, start), feeds), shares.length);
    control.progress(Math.min(from + batch, shares.length), shares.length, 'gradients taken');
  }
  return scores;
}

/** Sums of the graph's tables, by the name of the reader. */
class Scores {
  readonly #tables = new Map<string, Float64Array>();

  /** @param count batches' rows in all: a mean is kept */
  add(outputs: Record<string, FloatTensor>, count: number): void {
    for (const [name, { data }] of Object.entries(outputs)) {
      const table = this.#tables.get(name) ?? new Float64Array(data.length);
      this.#tables.set(name, table);
      data.forEach((value, index) => (table[index]! += value / count));
    }
  }

  of({ from, to }: Edge, spec: ModelSpec): number {
    const { node, slot } = to;
    const writers = writersBefore(node, spec);
    if (node.kind !== 'head') return this.#tables.get(node.kind === 'mlp' ? `mlp${node.layer}` : 'logits')![writerIndex(from, spec)]!;
    const reader = SLOTS.indexOf(slot!) * spec.heads + node.head;
    return this.#tables.get(`heads${node.layer}`)![reader * writers + writerIndex(from, spec)]!;
  }
}
