import { Heap } from '../collections.ts';
import { EngineError } from '../errors.ts';
import { circuitFactorsGraph, circuitFactorsName, largestEntriesGraph, rowPeaksGraph } from '../graphs/circuits.ts';
import type { Control, Model } from '../model.ts';
import { checkNode, parseNode } from '../names.ts';
import type { Term } from '../request.ts';
import { indices, tensor, type FloatTensor } from '../runtime.ts';
import type { Outcome, WeightsAsked } from './view.ts';

const DEFAULT_TOP = 20;
const MOST_TOP = 10_000;
/** Rows of a circuit that are made at once, */
const BLOCK_ROWS = 64;
/** and fewer where the vocabulary is so large that they would have more entries than this, 64 MiB. */
const BLOCK_ENTRIES = 16 * 1024 * 1024;

interface Entry {
  row: number;
  column: number;
  value: number;
}

/**
 * The largest entries of one head's full circuits, off the weights alone [M20]: W_E·W_V·W_O·W_U as `ov:FROM->TO` (what
 * attending to FROM adds to TO's logit) and W_E·W_Q·W_Kᵀ·W_Eᵀ as `qk:QUERY->KEY`, `top` of each by |value|, default 20.
 * Raw weights: positions, rotary phases, norms and attention's scale are left out; `foldNorm` folds γ and centring of the
 * head's norm and, into W_U, of the final norm. A circuit [V, V] is never whole in memory.
 * @throws EngineError `bad-request` unless `nodes` is one head and `top` at most 10,000
 */
export async function circuitsView({ model, nodes, top, foldNorm, control }: WeightsAsked): Promise<Outcome> {
  const { layer, head } = headOf(nodes, model);
  const count = top ?? DEFAULT_TOP;
  if (count > MOST_TOP) throw new EngineError('bad-request', 'top', `at most ${MOST_TOP} entries of each circuit`, `${count}`);
  const factors = await model.run(circuitFactorsName(layer, foldNorm), (spec) => circuitFactorsGraph(spec, layer, foldNorm), {
    head: indices([head], []),
  });
  const { ovFrom, ovTo, qkQuery, qkKey } = factors;
  const rows = model.spec.vocabulary + Math.min(count, model.spec.vocabulary);
  const ov = await largestEntries(model, [ovFrom!, ovTo!], count, progressOf(control, 0, 2 * rows));
  const qk = await largestEntries(model, [qkQuery!, qkKey!], count, progressOf(control, rows, 2 * rows));
  return { terms: [...ov.map(termOf('ov')), ...qk.map(termOf('qk'))] };
}

function headOf(nodes: readonly string[], { spec }: Model): { layer: number; head: number } {
  if (nodes.length !== 1) throw new EngineError('bad-request', 'nodes', 'one head, such as a0.h1', `${nodes.length} nodes`);
  const node = parseNode(nodes[0]!);
  checkNode(node, spec, 'nodes');
  if (node.kind !== 'head') throw new EngineError('bad-request', 'nodes', 'a head, such as a0.h1', nodes[0]!);
  return node;
}

function progressOf(control: Control, before: number, total: number): Control {
  return {
    progress: (done) => control.progress(before + done, total, 'rows of the circuits read and sorted'),
    checkpoint: () => control.checkpoint(),
  };
}

function termOf(circuit: string): (entry: Entry) => Term {
  return ({ row, column, value }) => ({ name: `${circuit}:${row}->${column}`, value });
}

/**
 * The `count` largest |entries| of left·rightᵀ for left, right [V, dh], largest first, a block of rows at a time. They all
 * lie in the `count` rows with the largest peaks, so that only those need sorting, and of those only the ones whose peak
 * is above the least entry kept. Progress counts every row read and then every row sorted or known to be too small.
 */
async function largestEntries(model: Model, [left, right]: [FloatTensor, FloatTensor], count: number, control: Control): Promise<Entry[]> {
  const peaks = await rowPeaks(model, left, right, control);
  const rows = [...peaks.keys()].sort((a, b) => peaks[b]! - peaks[a]!).slice(0, count);
  const kept = new Heap<Entry>((a, b) => Math.abs(a.value) < Math.abs(b.value));
  const perRow = Math.min(count, peaks.length);
  for (const block of blocksOf(rows.length, peaks.length)) {
    if (kept.size === count && peaks[rows[block.from]!]! < Math.abs(kept.items[0]!.value)) break;
    await control.checkpoint();
    const chosen = rows.slice(block.from, block.to);
    const found = await model.run('largest-entries', largestEntriesGraph, {
      left: gatheredRows(left, chosen),
      right,
      perRow: indices([perRow]),
      count: indices([Math.min(count, perRow * chosen.length)]),
    });
    found['values']!.data.forEach((value, index) => {
      kept.push({ row: chosen[found['rows']!.data[index]!]!, column: found['columns']!.data[index]!, value });
      if (kept.size > count) kept.pop();
    });
    control.progress(peaks.length + block.to, 0, '');
  }
  control.progress(peaks.length + rows.length, 0, '');
  return kept.items.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.row - b.row || a.column - b.column);
}

async function rowPeaks(model: Model, left: FloatTensor, right: FloatTensor, control: Control): Promise<Float32Array> {
  const [length, width] = left.dims as [number, number];
  const peaks = new Float32Array(length);
  for (const { from, to } of blocksOf(length, length)) {
    await control.checkpoint();
    const rows = tensor(left.data.subarray(from * width, to * width), [to - from, width]);
    peaks.set((await model.run('row-peaks', rowPeaksGraph, { left: rows, right }))['peaks']!.data, from);
    control.progress(to, 0, '');
  }
  return peaks;
}

/** Blocks of rows that keep the entries made at once bounded, for rows of `width`. */
function blocksOf(rows: number, width: number): { from: number; to: number }[] {
  const step = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_ENTRIES / width)));
  return Array.from({ length: Math.ceil(rows / step) }, (_, block) => ({ from: block * step, to: Math.min(rows, (block + 1) * step) }));
}

function gatheredRows({ data, dims }: FloatTensor, rows: readonly number[]): FloatTensor {
  const width = dims[1]!;
  const chosen = new Float32Array(rows.length * width);
  rows.forEach((row, index) => chosen.set(data.subarray(row * width, (row + 1) * width), index * width));
  return tensor(chosen, [rows.length, width]);
}
