import { Heap } from './collections.ts';
import { placeParts, replacedRunGraph, runStacks } from './graphs/clean.ts';
import { causalMask, readRun, type CleanRun, type Control, type Model, type Question } from './model.ts';
import { printNode, type Node } from './names.ts';
import type { Term } from './request.ts';
import { indices, tensor, type FloatTensor } from './runtime.ts';
import { sourceRows, stageCount } from './spec.ts';
import { Trie, countSuffixes, openAll, pathName, type CompletePath, type Suffix } from './trie.ts';

/** Directions kept at once, in bytes. */
const MEMORY = 96 * 1024 * 1024;
const LISTED = 10;

/** A path in the run and in the run with nodes ablated, in the metric's unit. */
type Takeover = NonNullable<Term['takeover']>[number];

/**
 * The run in which nodes write the reference [M24], with its own patterns, scales and gates.
 * @param reference sources of the reference run, [N, S, d]
 */
export async function ablatedRun(
  model: Model,
  tokens: readonly number[],
  nodes: readonly string[],
  reference: FloatTensor,
): Promise<CleanRun> {
  const rows = sourceRows(model.spec);
  const replace = new Float32Array(rows.size);
  for (const node of nodes) {
    replace[rows.get(node)!] = 1;
    const ownBias = rows.get(`${node}.b`);
    if (ownBias !== undefined) replace[ownBias] = 1;
  }
  const { stacks, into } = runStacks(model.spec, tokens.length);
  const feeds = { tokens: indices(tokens), mask: causalMask(tokens.length), replace: tensor(replace, [rows.size]), reference };
  const outputs = await model.run('replaced-run', replacedRunGraph, feeds, into);
  placeParts(outputs, into);
  return readRun(tokens, { ...outputs, ...stacks }, model.spec);
}

/** The longest paths of which an expansion opens at most `budget` suffixes; 0 = the direct terms alone. */
export function degreeWithin(model: Model, budget: number): number {
  let degree = stageCount(model.spec);
  while (degree > 0 && countSuffixes(model.spec, degree) > budget) degree--;
  return degree;
}

/** Visits every complete path of a run whose suffix has at most `maxDegree` components. */
export async function expand(
  model: Model,
  run: CleanRun,
  question: Question,
  maxDegree: number,
  control: Control,
  visit: (path: CompletePath) => void,
): Promise<void> {
  const trie = new Trie(model, run, await model.direction(run, question));
  await openAll(trie, maxDegree, MEMORY, control, ({ paths }) => paths.forEach(visit));
}

/** Clean values of paths against those of ablated runs. */
export class Takeovers {
  readonly #clean = new Map<string, number>();

  private constructor(
    readonly model: Model,
    readonly question: Question,
    readonly maxDegree: number,
  ) {}

  /** Expands the clean run; `maxDegree` as {@link expand} takes it. */
  static async prepare(model: Model, question: Question, maxDegree: number, control: Control): Promise<Takeovers> {
    const takeovers = new Takeovers(model, question, maxDegree);
    const run = await model.clean(question.tokens);
    await expand(model, run, question, maxDegree, control, (path) => takeovers.#clean.set(pathName(path), path.value));
    return takeovers;
  }

  /**
   * The paths whose value changed most when nodes write the reference, the largest change first. A path through an
   * ablated node is not compared: it has no counterpart.
   * @param reference sources of the reference run, [N, S, d]
   */
  async of(nodes: readonly string[], reference: FloatTensor, control: Control): Promise<Takeover[]> {
    const run = await ablatedRun(this.model, this.question.tokens, nodes, reference);
    const gone = new Set(nodes.flatMap((node) => [node, `${node}.b`]));
    const kept = new Heap<Takeover>((a, b) => changeOf(a) < changeOf(b));
    await expand(this.model, run, this.question, this.maxDegree, control, (path) => {
      if (passes(path, gone)) return;
      const name = pathName(path);
      kept.push({ name, clean: this.#clean.get(name)!, ablated: path.value });
      if (kept.size > LISTED) kept.pop();
    });
    return kept.items.toSorted((a, b) => changeOf(b) - changeOf(a));
  }
}

function changeOf({ clean, ablated }: Takeover): number {
  return Math.abs(ablated - clean);
}

/** Whether a path starts at or goes through one of the nodes. */
function passes({ source, onto }: CompletePath, nodes: ReadonlySet<string>): boolean {
  const through = (node: Node) => nodes.has(printNode(node));
  if (through(source)) return true;
  for (let suffix: Suffix | null = onto; suffix; suffix = suffix.parent) if (through(suffix.node)) return true;
  return false;
}
