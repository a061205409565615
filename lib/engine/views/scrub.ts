import { Effects } from '../copies.ts';
import { bySlot, everyEdge, maskedFinals } from '../edge-runs.ts';
import { EngineError } from '../errors.ts';
import { lossGraph } from '../graphs/loss.ts';
import type { Model } from '../model.ts';
import { parseEdge, printEdge, type Path } from '../names.ts';
import type { Term } from '../request.ts';
import { indices, tensor } from '../runtime.ts';
import { meanOf } from '../sets.ts';
import { causalPath } from './path-effect.ts';
import { referenceTokens } from './reference.ts';
import type { Outcome, SetAsked, SetExample } from './view.ts';

/** What a hypothesis lets through from the example; the donor feeds everything else. */
type Hypothesis = { kind: 'edges'; outside: ReadonlySet<string> } | { kind: 'paths'; paths: readonly Path[] };

type Losses = Required<Pick<Term, 'lossModel' | 'lossRandom' | 'lossScrubbed'>>;

const RATIO = '`mean` is the ratio of mean differences in loss, not the mean of the values of the examples [M17].';
const NO_DIFFERENCE = 'Where model and donor lose the same, no share of the loss can be recovered and the value is left out.';

/**
 * Causal scrubbing [M17]: the edges or paths of the hypothesis carry the example, everything else its donor's run.
 * Terms: each example by its number, from 1, then `mean`; `value` is the loss recovered, (L_scrubbed − L_random) /
 * (L_model − L_random), for `mean` of the mean losses, and left out where L_model = L_random; losses in nats, all three
 * from one graph. No edge and no path is the empty hypothesis.
 * @throws EngineError `bad-request` for a hypothesis of both edges and paths, or for a reference that is no run
 */
export async function scrubView(asked: SetAsked): Promise<Outcome> {
  const { model, examples, control } = asked;
  const hypothesis = hypothesisOf(asked);
  const losses: Losses[] = [];
  for (const example of examples) {
    await control.checkpoint();
    losses.push(await scrub(asked, example, hypothesis));
    control.progress(losses.length, examples.length, 'examples scrubbed');
  }
  const mean: Losses = {
    lossModel: meanOf(losses.map(({ lossModel }) => lossModel)),
    lossRandom: meanOf(losses.map(({ lossRandom }) => lossRandom)),
    lossScrubbed: meanOf(losses.map(({ lossScrubbed }) => lossScrubbed)),
  };
  const terms = [...losses.map((own, index) => termOf(String(index + 1), own)), termOf('mean', mean)];
  return {
    terms,
    reference: asked.reference,
    settings: hypothesisSettings(hypothesis, model),
    notes: [...(examples.length > 1 ? [RATIO] : []), ...(terms.some(({ value }) => value === undefined) ? [NO_DIFFERENCE] : [])],
  };
}

function termOf(name: string, losses: Losses): Term {
  const { lossModel, lossRandom, lossScrubbed } = losses;
  const possible = lossModel - lossRandom;
  return { name, ...(possible !== 0 && { value: (lossScrubbed - lossRandom) / possible }), ...losses };
}

function hypothesisOf({ model, edges, paths, allEdges }: SetAsked): Hypothesis {
  if (paths.length > 0 && (edges.length > 0 || allEdges)) {
    throw new EngineError('bad-request', 'scrub: hypothesis', 'edges or paths', 'both');
  }
  if (paths.length > 0) return { kind: 'paths', paths: paths.map((name) => causalPath(name, { model })) };
  const inside = allEdges ? everyEdge(model.spec) : edges.flatMap((name) => bySlot(parseEdge(name, model.spec)));
  const outside = new Set(everyEdge(model.spec).map(printEdge));
  for (const edge of inside) outside.delete(printEdge(edge));
  return { kind: 'edges', outside };
}

function hypothesisSettings(hypothesis: Hypothesis, { spec }: Model): NonNullable<Outcome['settings']> {
  if (hypothesis.kind === 'paths') return { hypothesis: 'paths', paths: hypothesis.paths.length };
  const all = everyEdge(spec).length;
  return { hypothesis: 'edges', edges: all - hypothesis.outside.size, edgesOfModel: all };
}

async function scrub(asked: SetAsked, example: SetExample, hypothesis: Hypothesis): Promise<Losses> {
  const { model, control } = asked;
  const { question, references } = example;
  const donorTokens = referenceTokens({ references });
  if (!donorTokens) {
    throw new EngineError('bad-request', 'scrub: ablation', "counterfactual or resample, a donor prompt's run", references.kind);
  }
  const donor = await model.clean(donorTokens);
  const own = await model.clean(question.tokens);
  let scrubbed: Float32Array;
  if (hypothesis.kind === 'paths') {
    const effects = await Effects.prepare(model, donor, { ...question, tokens: donorTokens }, own.sources);
    const [change] = await effects.finalChanges([hypothesis.paths], { progress() {}, checkpoint: () => control.checkpoint() });
    scrubbed = donor.final.data.map((clean, channel) => clean + change![channel]!);
  } else {
    scrubbed = (await maskedFinals(model, question.tokens, donor.sources, [hypothesis.outside])).data;
  }
  const { dModel } = model.spec;
  const streams = new Float32Array(3 * dModel);
  [own.final.data, donor.final.data, scrubbed].forEach((stream, row) => streams.set(stream, row * dModel));
  const { loss } = await model.run('loss', lossGraph, {
    streams: tensor(streams, [3, dModel]),
    target: indices([question.target]),
  });
  const [lossModel, lossRandom, lossScrubbed] = loss!.data;
  return { lossModel: lossModel!, lossRandom: lossRandom!, lossScrubbed: lossScrubbed! };
}
