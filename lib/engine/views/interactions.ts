import { compose, sizeWithin, type BlockSet } from '../compositions.ts';
import { readMetricGraph } from '../graphs/causal.ts';
import { defectsGraph } from '../graphs/stages.ts';
import { causalMask, metricFeeds } from '../model.ts';
import type { Answer, Term } from '../request.ts';
import { indices, slice, tensor, type FloatTensor } from '../runtime.ts';
import { stagesOf, type Stage } from '../stages.ts';
import { identity, largest, sumOf, type Asked, type Outcome } from './view.ts';

/** Up to this many blocks all sets are taken unless asked otherwise, beyond it pairs. */
const ALL_SETS_UP_TO = 12;
const USUAL_ORDER = 2;

/**
 * Interactions of blocks [M18]: v(S) is the metric with only the blocks in S active, each on the residual that S makes;
 * I(T) = Σ_{S⊆T} (−1)^{|T|−|S|} v(S). All I(T) sum to v(all). Terms are the sets of at most `maxDegree` blocks, with
 * their number as `degree`, and beside them the additivity defect [M19] of each block but the first, null where it is
 * constant.
 * @throws EngineError `bad-request` for an order of too many sets
 */
export async function interactionsView(asked: Asked): Promise<Outcome> {
  const stages = stagesOf(asked.model.spec);
  const order = sizeWithin(stages.length, asked.maxDegree, stages.length <= ALL_SETS_UP_TO ? stages.length : USUAL_ORDER);
  const values = await valuesOfSets(asked, order);
  const all = interactionsOf(values, stages);
  const { terms, remainder } = largest(all, asked.top);
  const complete = order === stages.length;
  const beyond = complete ? 0 : (await valueOfAll(asked, stages)) - sumOf(all);
  const defects = await defectsOf(asked, stages);
  return {
    ...identity(terms, remainder + beyond, asked.metric),
    defects,
    settings: { maxDegree: order, blocks: stages.length, sets: values.size },
    notes: [...(complete ? [] : [beyondNote(order, values.size, stages.length)]), ...constantNotes(defects)],
  };
}

function beyondNote(order: number, sets: number, blocks: number): string {
  const what = `v(all) − the ${sets} interactions of up to ${order} of the ${blocks} blocks`;
  return `The remainder is by subtraction: ${what}; those of them that are not listed are added to it.`;
}

/** v(S) of every set of at most `order` blocks, by its members joined, in the order of their size. */
async function valuesOfSets(asked: Asked, order: number): Promise<Map<string, number>> {
  const { model, question, control } = asked;
  const { sources } = await model.clean(question.tokens);
  const input = slice(sources, 0);
  const found: { members: readonly number[]; value: number }[] = [];
  const visit = async (sets: readonly BlockSet[]) => {
    const values = await metricsOf(asked, sets);
    sets.forEach(({ members }, index) => found.push({ members, value: values[index]! }));
  };
  await visit([{ members: [], stream: input.data }]);
  await compose(model, { input: input.data, tokens: question.tokens.length, maxSize: order, residual: true, visit, control });
  found.sort((a, b) => a.members.length - b.members.length || compare(a.members, b.members));
  return new Map(found.map(({ members, value }) => [members.join(), value]));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((member, at) => member !== b[at]);
  return differs < 0 ? 0 : a[differs]! - b[differs]!;
}

/** The live metric of each set's stream at the last token. */
async function metricsOf({ model, question }: Asked, sets: readonly BlockSet[]): Promise<Float32Array> {
  const { dModel } = model.spec;
  const change = new Float32Array(sets.length * dModel);
  sets.forEach(({ stream }, row) => change.set(stream.subarray(-dModel), row * dModel));
  const { metric } = await model.run('read-metric', readMetricGraph, {
    ...metricFeeds(question),
    clean: tensor(new Float32Array(dModel), [dModel]),
    change: tensor(change, [sets.length, dModel]),
  });
  return metric!.data;
}

/** v with every block active, read off the run's own final stream. */
async function valueOfAll(asked: Asked, stages: readonly Stage[]): Promise<number> {
  const { final } = await asked.model.clean(asked.question.tokens);
  const [value] = await metricsOf(asked, [{ members: [...stages.keys()], stream: final.data }]);
  return value!;
}

/** The Möbius transform, one block at a time: I(T) loses what it has without that block. */
function interactionsOf(values: ReadonlyMap<string, number>, stages: readonly Stage[]): Term[] {
  const sets = [...values.keys()].map((key) => (key === '' ? [] : key.split(',').map(Number)));
  const place = new Map([...values.keys()].map((key, index) => [key, index]));
  const result = Float64Array.from(values.values());
  stages.forEach((_, block) => {
    sets.forEach((set, index) => {
      if (!set.includes(block)) return;
      const without = set.filter((member) => member !== block).join();
      result[index]! -= result[place.get(without)!]!;
    });
  });
  return sets.map((set, index) => ({
    name: `{${set.map((member) => stages[member]!.name).join(',')}}`,
    degree: set.length,
    value: result[index]!,
  }));
}

type Defects = NonNullable<Answer['defects']>;

function constantNotes(defects: Defects): string[] {
  const constant = defects.filter(({ live, frozenScale }) => live === null || frozenScale === null);
  return constant.map(({ name }) => `${name} writes the same whatever it reads, so it has no additivity defect.`);
}

/** Norms are over all positions of the prompt. */
async function defectsOf({ model, prompt }: Asked, stages: readonly Stage[]): Promise<Defects> {
  if (stages.length < 2) return [];
  const feeds = { tokens: indices(prompt), mask: causalMask(prompt.length) };
  const { live, frozenScale } = await model.run('additivity-defects', defectsGraph, feeds);
  const ratio = ({ data }: FloatTensor, index: number) => (data[2 * index + 1] === 0 ? null : data[2 * index]! / data[2 * index + 1]!);
  return stages.slice(1).map(({ name }, index) => ({ name, live: ratio(live!, index), frozenScale: ratio(frozenScale!, index) }));
}
