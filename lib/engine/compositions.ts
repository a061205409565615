import { EngineError } from './errors.ts';
import { mixGraph } from './graphs/outputs.ts';
import { stageGraph, stageGraphName } from './graphs/stages.ts';
import { causalMask, type Control, type Model } from './model.ts';
import { slice, tensor, type FloatTensor } from './runtime.ts';
import { stagesOf, type Stage } from './stages.ts';
import { PRODUCT_ROWS } from './trie.ts';

/** Streams kept at once, in bytes. */
const MEMORY = 96 * 1024 * 1024;
/** Blocks evaluated in one answer. */
const EVALUATION_LIMIT = 50_000;

/** A set of blocks, as indices in rising order, and the stream [S, d] that belongs to it. */
export interface BlockSet {
  members: readonly number[];
  stream: Float32Array;
}

interface Composing {
  /** [S, d], what the empty set holds */
  input: Float32Array;
  tokens: number;
  /** most blocks in a set */
  maxSize: number;
  /** true: a set's stream is what the model makes with only these blocks; false: b_k(…b_1(input)) alone */
  residual: boolean;
  /** every set but the empty one, as soon as it is known, in batches */
  visit(sets: readonly BlockSet[]): void | Promise<void>;
  control: Control;
  /** bytes of streams kept at once */
  memory?: number;
}

/**
 * Evaluates blocks on what sets of earlier blocks left [M15], [M18]: each set of at most `maxSize` blocks costs one
 * block on the stream of the set without its last. Blocks are taken in the model's order and all sets that enter one
 * go in together; when their streams outgrow the memory, the list is halved and finished part by part.
 */
export async function compose(model: Model, composing: Composing): Promise<void> {
  const { tokens, maxSize, residual, visit, control, memory = MEMORY } = composing;
  const stages = stagesOf(model.spec);
  const size = tokens * model.spec.dModel;
  const limit = Math.max(2, Math.floor(memory / (4 * size)));
  const atOnce = Math.max(1, Math.ceil(PRODUCT_ROWS / tokens));
  const total = countSets(stages.length, maxSize) - 1;
  let done = 0;

  const extend = async (sets: readonly BlockSet[], index: number): Promise<BlockSet[]> => {
    const open: BlockSet[] = [];
    for (let from = 0; from < sets.length; from += atOnce) {
      await control.checkpoint();
      const batch = sets.slice(from, from + atOnce);
      const streams = stack(batch, [tokens, model.spec.dModel]);
      const out = await evaluate(model, stages[index]!, streams, residual);
      const grown = batch.map(({ members }, row): BlockSet => ({ members: [...members, index], stream: slice(out, row).data }));
      await visit(grown);
      open.push(...grown.filter(({ members }) => members.length < maxSize));
      done += grown.length;
      control.progress(done, total, 'sets of blocks evaluated');
    }
    return open;
  };

  const finish = async (sets: readonly BlockSet[], index: number): Promise<void> => {
    let open = sets;
    for (let at = index; at < stages.length; at++) {
      if (open.length > 1 && 2 * open.length > limit) {
        const half = Math.ceil(open.length / 2);
        await finish(open.slice(0, half), at);
        await finish(open.slice(half), at);
        return;
      }
      open = [...open, ...(await extend(open, at))];
    }
  };
  if (maxSize > 0) await finish([{ members: [], stream: composing.input }], 0);
}

/** Sets of at most `maxSize` out of `count` blocks, the empty one included. */
export function countSets(count: number, maxSize: number): number {
  let choices = 1;
  let sets = 1;
  for (let size = 1; size <= Math.min(count, maxSize); size++) {
    choices = (choices * (count - size + 1)) / size;
    sets += choices;
  }
  return Math.round(sets);
}

/**
 * The largest size of sets that an answer may go to: as asked for, or up to `usual` as far as the limit allows.
 * @throws EngineError `bad-request` saying how many blocks an asked-for size would take
 */
export function sizeWithin(count: number, asked: number | null, usual: number): number {
  if (asked === null) {
    let size = Math.min(count, usual);
    while (size > 1 && countSets(count, size) > EVALUATION_LIMIT) size--;
    return size;
  }
  const size = Math.min(count, asked);
  const needed = countSets(count, size);
  if (needed > EVALUATION_LIMIT) {
    const got = `${size}, which takes ${needed} evaluations of the model's ${count} blocks`;
    throw new EngineError('bad-request', 'max-degree', `a degree of at most ${EVALUATION_LIMIT} evaluations of blocks`, got);
  }
  return size;
}

/** What a stage makes of streams [P, S, d], added to them or alone. */
async function evaluate(model: Model, stage: Stage, streams: FloatTensor, residual: boolean): Promise<FloatTensor> {
  const { out } = await model.run(stageGraphName(stage), (spec) => stageGraph(spec, stage), {
    streams,
    keep: tensor(Float32Array.of(residual ? 1 : 0), [1]),
    mask: stage.attention ? causalMask(streams.dims[1]!) : null,
  });
  return out!;
}

/** Sums of streams: Σ of the rows of `streams` [P, S, d] into the rows that `into` names, added to `sums` [K, S, d]. */
export async function addInto(model: Model, sums: FloatTensor, streams: FloatTensor, into: readonly number[]): Promise<FloatTensor> {
  const [rows, added] = [sums.dims[0]!, into.length];
  const changes = new Float32Array(sums.data.length + streams.data.length);
  changes.set(sums.data);
  changes.set(streams.data, sums.data.length);
  const weights = new Float32Array(rows * (rows + added));
  for (let row = 0; row < rows; row++) weights[row * (rows + added) + row] = 1;
  into.forEach((row, index) => (weights[row * (rows + added) + rows + index] = 1));
  const { mixed } = await model.run('mix', mixGraph, {
    weights: tensor(weights, [rows, rows + added]),
    changes: tensor(changes, [rows + added, ...sums.dims.slice(1)]),
  });
  return mixed!;
}

/** Streams of sets as one batch [P, ...dims]. */
export function stack(sets: readonly { stream: Float32Array }[], dims: readonly number[]): FloatTensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(sets.length * size);
  sets.forEach(({ stream }, row) => data.set(stream, row * size));
  return tensor(data, [sets.length, ...dims]);
}
