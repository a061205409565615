import { groupBy } from './collections.ts';
import { totalsByTokenGraph, totalsGraph, headTransposeGraph, mlpTransposeGraph } from './graphs/frozen.ts';
import type { CleanRun, Control, Direction, Model } from './model.ts';
import { isBlockBias, printNode, stageOf, type Node } from './names.ts';
import { indices, slice, tensor, type FloatTensor } from './runtime.ts';
import { streamSources, type ModelSpec } from './spec.ts';

/**
 * The trie of suffixes [M12]. A suffix stands for all paths that end in it; opening it splits its total
 * exactly into complete paths (from its sources) and longer suffixes.
 */
export interface Suffix {
  node: Node;
  /** the suffix this one was split from; null for `logits` */
  parent: Suffix | null;
  /** stage of `node` [M2] */
  stage: number;
  /** component nodes so far [M4] */
  degree: number;
  /** Σ of all its paths, in the metric's unit */
  total: number;
}

/** A path from a source, in the metric's unit. `onto` null is `logits.b->logits`. */
export interface CompletePath {
  source: Node;
  onto: Suffix;
  value: number;
  byToken?: number[];
}

export interface Opened {
  suffix: Suffix;
  paths: CompletePath[];
  /** its children, to be opened in turn */
  suffixes: Suffix[];
  /** with `byToken`: the children's totals by token, in the order of `suffixes` */
  suffixesByToken?: number[][];
}

const BATCH_BYTES = 32 * 1024 * 1024;
/** Rows of a matrix product beyond which a larger batch gains nothing. */
export const PRODUCT_ROWS = 1024;

export class Trie {
  readonly root: Suffix;
  readonly #sources: readonly Node[];
  readonly #stages: readonly number[];
  readonly #directions = new Map<Suffix, Float32Array>();

  constructor(
    readonly model: Model,
    readonly run: CleanRun,
    readonly direction: Direction,
  ) {
    this.#sources = streamSources(model.spec);
    this.#stages = this.#sources.map((node) => stageOf(node, model.spec));
    const logits: Node = { kind: 'logits' };
    this.root = { node: logits, parent: null, stage: stageOf(logits, model.spec), degree: 0, total: Number.NaN };
    const seed = new Float32Array(this.size);
    seed.set(direction.direction.data, this.size - model.spec.dModel);
    this.#directions.set(this.root, seed);
  }

  /** Numbers in one direction, S·d. */
  get size(): number {
    return this.run.tokens.length * this.model.spec.dModel;
  }

  /**
   * Opens suffixes, pulling those with the same first node together and reading all totals at once. Their
   * directions are kept until {@link forget}; their parents must have been opened before.
   */
  async open(suffixes: readonly Suffix[], byToken = false): Promise<Opened[]> {
    const chunk = Math.max(1, Math.floor(BATCH_BYTES / (4 * this.size)));
    const opened: Opened[] = [];
    for (let from = 0; from < suffixes.length; from += chunk) {
      opened.push(...(await this.#openChunk(suffixes.slice(from, from + chunk), byToken)));
    }
    return opened;
  }

  forget(suffixes: readonly Suffix[]): void {
    for (const suffix of suffixes) this.#directions.delete(suffix);
  }

  async #openChunk(suffixes: readonly Suffix[], byToken: boolean): Promise<Opened[]> {
    const { size } = this;
    const sorted = [...groupBy(suffixes, (suffix) => printNode(suffix.node)).values()];
    const order = sorted.flat();
    const batch = new Float32Array(order.length * size);
    let filled = 0;
    for (const group of sorted) {
      for (let from = 0; from < group.length; from += this.#pullLimit) {
        const { data } = await this.#pull(group.slice(from, from + this.#pullLimit));
        batch.set(data, filled);
        filled += data.length;
      }
    }
    const directions = tensor(batch, [order.length, this.run.tokens.length, this.model.spec.dModel]);
    const totals = await this.#totals(directions);
    const tokenTotals = byToken ? await this.#totalsByToken(directions) : null;
    const count = this.#sources.length;
    return order.map((suffix, index) => {
      this.#directions.set(suffix, slice(directions, index).data);
      const tokens = (row: number) => tokenTotals && readByToken(tokenTotals, order.length, count, index, row);
      return this.#split(suffix, totals.subarray(index * count, (index + 1) * count), tokens);
    });
  }

  /** Suffixes in one pull: enough rows for a matrix product at full speed, not more. */
  get #pullLimit(): number {
    return Math.max(1, Math.ceil(PRODUCT_ROWS / this.run.tokens.length));
  }

  #split(suffix: Suffix, totals: Float32Array, tokens: (row: number) => number[] | null): Opened {
    const opened: Opened = { suffix, paths: [], suffixes: [] };
    if (suffix === this.root) opened.paths.push({ source: { kind: 'logits-bias' }, onto: suffix, value: this.direction.bias });
    this.#sources.forEach((node, row) => {
      if (this.#stages[row]! >= suffix.stage) return;
      const value = totals[row]!;
      const byToken = tokens(row);
      if (node.kind === 'head' || node.kind === 'mlp') {
        opened.suffixes.push({ node, parent: suffix, stage: this.#stages[row]!, degree: suffix.degree + 1, total: value });
        if (byToken) (opened.suffixesByToken ??= []).push(byToken);
      } else opened.paths.push({ source: node, onto: suffix, value, ...(byToken && { byToken }) });
    });
    return opened;
  }

  /** U of each suffix from U of its parent, [P, S, d]. */
  async #pull(suffixes: readonly Suffix[]): Promise<FloatTensor> {
    const { spec } = this.model;
    const dims = [suffixes.length, this.run.tokens.length, spec.dModel];
    const first = suffixes[0]!;
    const batch = new Float32Array(suffixes.length * this.size);
    suffixes.forEach((suffix, index) => batch.set(this.#directionOf(suffix.parent ?? suffix), index * this.size));
    const directions = tensor(batch, dims);
    const { node } = first;
    if (node.kind === 'head') return this.#pullHead(directions, node.layer, node.head);
    if (node.kind === 'mlp') return this.#pullMlp(directions, node.layer);
    return directions;
  }

  #directionOf(suffix: Suffix): Float32Array {
    const known = this.#directions.get(suffix);
    if (!known) throw new Error(`suffix ${suffixName(suffix)} was not opened`);
    return known;
  }

  async #pullHead(directions: FloatTensor, layer: number, head: number): Promise<FloatTensor> {
    const { patterns, inverse1 } = this.run;
    const outputs = await this.model.run(`head-transpose-${layer}`, (spec) => headTransposeGraph(spec, layer), {
      directions,
      head: indices([head], []),
      pattern: slice(patterns, layer),
      inverse: inverse1 && slice(inverse1, layer),
    });
    return outputs['pulled']!;
  }

  async #pullMlp(directions: FloatTensor, layer: number): Promise<FloatTensor> {
    const { gates, inverse2 } = this.run;
    const outputs = await this.model.run(`mlp-transpose-${layer}`, (spec) => mlpTransposeGraph(spec, layer), {
      directions,
      gate: slice(gates!, layer),
      inverse: inverse2 && slice(inverse2, layer),
    });
    return outputs['pulled']!;
  }

  async #totals(directions: FloatTensor): Promise<Float32Array> {
    const { totals } = await this.model.run('totals', totalsGraph, { directions, sources: this.run.sources });
    return totals!.data;
  }

  async #totalsByToken(directions: FloatTensor): Promise<Float32Array> {
    const { totals } = await this.model.run('totals-by-token', totalsByTokenGraph, { directions, sources: this.run.sources });
    return totals!.data;
  }
}

function readByToken(totals: Float32Array, suffixes: number, sources: number, suffix: number, source: number): number[] {
  const tokens = totals.length / (suffixes * sources);
  return Array.from({ length: tokens }, (_, token) => totals[(token * suffixes + suffix) * sources + source]!);
}

export function suffixName(suffix: Suffix): string {
  const own = printNode(suffix.node);
  return suffix.parent ? `${own}->${suffixName(suffix.parent)}` : own;
}

/** [M4]: a path that starts at a block's bias has gone through that block. */
export function pathDegree({ source, onto }: CompletePath): number {
  return onto.degree + Number(isBlockBias(source));
}

export function pathName(path: CompletePath): string {
  return `${printNode(path.source)}->${suffixName(path.onto)}`;
}

/** How many suffixes of at most `maxDegree` components there are, `logits` included. */
export function countSuffixes(spec: ModelSpec, maxDegree: number): number {
  const stages = new Map<number, number>();
  for (const node of streamSources(spec)) {
    if (node.kind !== 'head' && node.kind !== 'mlp') continue;
    const stage = stageOf(node, spec);
    stages.set(stage, (stages.get(stage) ?? 0) + 1);
  }
  let byDegree = [1];
  for (const nodes of stages.values()) {
    byDegree = Array.from({ length: byDegree.length + 1 }, (_, k) => (byDegree[k] ?? 0) + nodes * (byDegree[k - 1] ?? 0));
  }
  return byDegree.slice(0, maxDegree + 1).reduce((sum, count) => sum + count, 0);
}

/**
 * Opens every suffix of at most `maxDegree` components, stage by stage from the last; a list whose directions
 * would outgrow `bytes` is halved and finished part by part, so that memory stays bounded.
 */
export async function openAll(
  trie: Trie,
  maxDegree: number,
  bytes: number,
  control: Control,
  visit: (opened: Opened) => void,
): Promise<void> {
  const total = countSuffixes(trie.model.spec, maxDegree);
  const limit = Math.max(2, Math.floor(bytes / (4 * trie.size)));
  let done = 0;
  const open = async (suffixes: Suffix[]) => {
    await control.checkpoint();
    const opened = await trie.open(suffixes);
    opened.forEach(visit);
    done += opened.length;
    control.progress(done, total, 'suffixes opened');
    return opened;
  };
  const finish = async (list: readonly Opened[], stage: number): Promise<void> => {
    let alive = [...list];
    for (let at = stage - 1; at >= 0; at--) {
      const next = alive.filter(({ suffix }) => suffix.degree < maxDegree);
      const children = next.flatMap(({ suffixes }) => suffixes.filter((child) => child.stage === at));
      if (alive.length > 1 && alive.length + children.length > limit) {
        const half = Math.ceil(alive.length / 2);
        await finish(alive.slice(0, half), at + 1);
        await finish(alive.slice(half), at + 1);
        return;
      }
      for (const group of groupBy(children, (child) => printNode(child.node)).values()) alive = alive.concat(await open(group));
    }
    trie.forget(alive.map(({ suffix }) => suffix).filter((suffix) => suffix !== trie.root));
  };
  await finish(await open([trie.root]), trie.root.stage);
}
