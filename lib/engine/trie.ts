import { groupBy } from './collections.ts';
import { totalsByTokenGraph, totalsGraph, headTransposeGraph, mlpTransposeGraph } from './graphs/frozen.ts';
import type { CleanRun, Control, Direction, Model } from './model.ts';
import { isBlockBias, printNode, stageOf, type Node } from './names.ts';
import { indices, slice, slices, tensor, type FloatTensor } from './runtime.ts';
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
  /** U of each opened suffix, [S, d]; [1, d] where it is zero but for the last token */
  readonly #directions = new Map<Suffix, Float32Array>();
  #lastSources: FloatTensor | null = null;

  constructor(
    readonly model: Model,
    readonly run: CleanRun,
    readonly direction: Direction,
  ) {
    this.#sources = streamSources(model.spec);
    this.#stages = this.#sources.map((node) => stageOf(node, model.spec));
    const logits: Node = { kind: 'logits' };
    this.root = { node: logits, parent: null, stage: stageOf(logits, model.spec), degree: 0, total: Number.NaN };
    this.#directions.set(this.root, direction.direction.data);
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
    for (const group of groupBy(suffixes, isAtLastToken).values()) {
      for (let from = 0; from < group.length; from += chunk)
        opened.push(...(await this.#openChunk(group.slice(from, from + chunk), byToken)));
    }
    return opened;
  }

  forget(suffixes: readonly Suffix[]): void {
    for (const suffix of suffixes) this.#directions.delete(suffix);
  }

  /** Suffixes that are all, or none, at the last token alone. */
  async #openChunk(suffixes: readonly Suffix[], byToken: boolean): Promise<Opened[]> {
    const rows = isAtLastToken(suffixes[0]!) ? 1 : this.run.tokens.length;
    const size = rows * this.model.spec.dModel;
    const sorted = [...groupBy(suffixes, pullKey).values()];
    const order = sorted.flat();
    const batch = new Float32Array(order.length * size);
    const most = Math.max(1, Math.ceil(PRODUCT_ROWS / rows));
    let filled = 0;
    for (const group of sorted) {
      for (let from = 0; from < group.length; from += most) {
        const { data } = await this.#pull(group.slice(from, from + most));
        batch.set(data, filled);
        filled += data.length;
      }
    }
    const directions = tensor(batch, [order.length, rows, this.model.spec.dModel]);
    const totals = await this.#totals(directions);
    const tokenTotals = byToken ? await this.#totalsByToken(directions) : null;
    const count = this.#sources.length;
    const before = new Array<number>(this.run.tokens.length - rows).fill(0);
    return order.map((suffix, index) => {
      this.#directions.set(suffix, slice(directions, index).data);
      const tokens = (row: number) => tokenTotals && [...before, ...readByToken(tokenTotals, order.length, count, index, row)];
      return this.#split(suffix, totals.subarray(index * count, (index + 1) * count), tokens);
    });
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

  /** U of each suffix from U of its parent; all have one first node, and parents of one length. */
  async #pull(suffixes: readonly Suffix[]): Promise<FloatTensor> {
    const parents = suffixes.map((suffix) => this.#directionOf(suffix.parent ?? suffix));
    const length = parents[0]!.length;
    const batch = new Float32Array(parents.length * length);
    parents.forEach((parent, index) => batch.set(parent, index * length));
    const { dModel } = this.model.spec;
    const directions = tensor(batch, [parents.length, length / dModel, dModel]);
    const { node } = suffixes[0]!;
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
    const pattern = slice(slice(patterns, layer), head);
    const outputs = await this.model.run(`head-transpose-${layer}`, (spec) => headTransposeGraph(spec, layer), {
      directions,
      head: indices([head], []),
      pattern: last(pattern, directions.dims[1]!),
      inverse: inverse1 && slice(inverse1, layer),
    });
    return outputs['pulled']!;
  }

  async #pullMlp(directions: FloatTensor, layer: number): Promise<FloatTensor> {
    const { gates, inverse2 } = this.run;
    const rows = directions.dims[1]!;
    const outputs = await this.model.run(`mlp-transpose-${layer}`, (spec) => mlpTransposeGraph(spec, layer), {
      directions,
      gate: last(slice(gates!, layer), rows),
      inverse: inverse2 && last(slice(inverse2, layer), rows),
    });
    return outputs['pulled']!;
  }

  async #totals(directions: FloatTensor): Promise<Float32Array> {
    const { totals } = await this.model.run('totals', totalsGraph, { directions, sources: this.#sourcesFor(directions) });
    return totals!.data;
  }

  async #totalsByToken(directions: FloatTensor): Promise<Float32Array> {
    const feeds = { directions, sources: this.#sourcesFor(directions) };
    const { totals } = await this.model.run('totals-by-token', totalsByTokenGraph, feeds);
    return totals!.data;
  }

  /** The sources at the tokens of these directions. */
  #sourcesFor({ dims }: FloatTensor): FloatTensor {
    const { sources } = this.run;
    if (dims[1] === sources.dims[1]) return sources;
    return (this.#lastSources ??= lastTokenOf(sources));
  }
}

/** True where U is zero but for the last token: nothing but MLPs stands between the suffix's start and `logits`. */
function isAtLastToken({ node, parent }: Suffix): boolean {
  return node.kind !== 'head' && (parent === null || isAtLastToken(parent));
}

function pullKey({ node, parent }: Suffix): string {
  return `${printNode(node)} ${parent !== null && isAtLastToken(parent)}`;
}

/** The last rows of [S, …]. */
function last(x: FloatTensor, rows: number): FloatTensor {
  return slices(x, x.dims[0]! - rows, rows);
}

/** [N, S, d] to [N, 1, d]. */
function lastTokenOf({ data, dims }: FloatTensor): FloatTensor {
  const [count, tokens, width] = dims as [number, number, number];
  const rows = new Float32Array(count * width);
  for (let source = 0; source < count; source++) {
    const end = (source + 1) * tokens * width;
    rows.set(data.subarray(end - width, end), source * width);
  }
  return tensor(rows, [count, 1, width]);
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
