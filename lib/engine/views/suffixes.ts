import { EngineError } from '../errors.ts';
import { checkPath, parsePath, printNode, type Path } from '../names.ts';
import type { Term } from '../request.ts';
import { stageCount } from '../spec.ts';
import { Trie, pathDegree, pathName, suffixName, type Opened, type Suffix } from '../trie.ts';
import { budgetOf, openBest } from './paths.ts';
import type { Asked, Outcome } from './view.ts';

/** Suffixes that one answer may open on the way to `untilMass`: each brings a term for every source. */
const ANSWER_BUDGET = 400;

/**
 * Splits suffixes into their children [M12]: the asked-for ones (default `logits`), and with `untilMass` the
 * largest after them until complete paths hold that share of Σ|value|. Terms are the children of every suffix
 * opened for the asker; what lies outside them is the remainder, so that the partition stays exact.
 */
export async function suffixesView(asked: Asked): Promise<Outcome> {
  const { model, question, control } = asked;
  const run = await model.clean(question.tokens);
  const trie = new Trie(model, run, await model.direction(run, question));
  const partition = new Partition();
  const [root] = await trie.open([trie.root], asked.byToken);
  const wanted = asked.paths.length === 0 ? ['logits'] : asked.paths;
  partition.take(root!, wanted.includes('logits'));
  await openNamed(
    trie,
    wanted.filter((name) => name !== 'logits'),
    asked,
    partition,
  );
  const search = asked.untilMass === null ? null : await openUntil(trie, asked.untilMass, asked, partition);
  await control.checkpoint();
  const closed = partition.closed();
  return {
    ...partition.answer(asked.metric),
    remainder: partition.hidden(),
    search: closed.length === 0 ? 'exhaustive' : 'budget',
    largestUnopened: closed.reduce((most, { total }) => Math.max(most, Math.abs(total)), 0),
    opened: partition.opened.size,
    ...(search && { notes: [search] }),
  };
}

async function openUntil(trie: Trie, mass: number, asked: Asked, partition: Partition): Promise<string> {
  const reached = () => partition.massInPaths() >= mass;
  await openBest(
    trie,
    {
      maxDegree: asked.maxDegree ?? stageCount(asked.model.spec),
      budget: Math.min(ANSWER_BUDGET, budgetOf(trie)),
      control: asked.control,
      visit: (opened) => partition.take(opened, true),
      enough: reached,
    },
    partition.closed(),
  );
  const share = (100 * partition.massInPaths()).toFixed(1);
  return reached() ? `${share}% of Σ|value| lies in complete paths.` : `The budget ended at ${share}% of Σ|value| in complete paths.`;
}

/** Opens suffixes by name and what lies between them and `logits`, those of one degree together. */
async function openNamed(trie: Trie, names: readonly string[], asked: Asked, partition: Partition): Promise<void> {
  const chains = names.map((name) => ({ name, nodes: nodesFromLogits(name, asked), at: trie.root }));
  const longest = chains.reduce((most, { nodes }) => Math.max(most, nodes.length), 0);
  for (let degree = 0; degree < longest; degree++) {
    await asked.control.checkpoint();
    const closed = new Set<Suffix>();
    for (const chain of chains) {
      const wanted = chain.nodes[degree];
      if (wanted === undefined) continue;
      const child = partition.opened.get(chain.at)!.suffixes.find((suffix) => printNode(suffix.node) === wanted);
      if (!child) throw new EngineError('bad-path', `path ${JSON.stringify(chain.name)}`, 'a suffix that starts at a head or MLP', wanted);
      chain.at = child;
      if (!partition.opened.has(child)) closed.add(child);
    }
    for (const opened of await trie.open([...closed], asked.byToken)) partition.take(opened, false);
    asked.control.progress(degree + 1, longest, 'degrees of suffixes opened');
  }
  for (const { at } of chains) partition.show(at);
}

/** The nodes of a suffix by name, the one before `logits` first. */
function nodesFromLogits(name: string, { model }: Asked): string[] {
  const path = parsePath(name);
  checkPath(path, model.spec);
  checkFrozen(path, name);
  return path
    .slice(0, -1)
    .toReversed()
    .map(({ node }) => printNode(node));
}

/** Frozen paths are value paths: `<q>` and `<k>` have no place on them [M14]. */
export function checkFrozen(path: Path, name: string): void {
  const slotted = path.find(({ slot }) => slot === 'q' || slot === 'k');
  if (slotted) {
    const got = `<${slotted.slot}>: q and k are held fixed there; path-effect tests them`;
    throw new EngineError('bad-path', `path ${JSON.stringify(name)}`, 'value paths alone in a frozen view', got);
  }
}

/** Which suffixes are open, and which of those the asker sees. */
class Partition {
  readonly opened = new Map<Suffix, Opened>();
  readonly #shown = new Set<Suffix>();

  take(opened: Opened, shown: boolean): void {
    this.opened.set(opened.suffix, opened);
    if (shown) this.#shown.add(opened.suffix);
  }

  show(suffix: Suffix): void {
    this.#shown.add(suffix);
  }

  closed(): Suffix[] {
    return [...this.opened.values()].flatMap(({ suffixes }) => suffixes.filter((suffix) => !this.opened.has(suffix)));
  }

  /** Σ|complete paths| over Σ|complete paths and unopened suffixes|. */
  massInPaths(): number {
    const paths = [...this.opened.values()].flatMap((opened) => opened.paths).reduce((sum, { value }) => sum + Math.abs(value), 0);
    const rest = this.closed().reduce((sum, { total }) => sum + Math.abs(total), 0);
    return paths + rest === 0 ? 1 : paths / (paths + rest);
  }

  /** Σ of the frontier under suffixes that were opened on the way only. */
  hidden(): number {
    return this.#frontier((suffix) => !this.#shown.has(suffix));
  }

  answer(metric: number): Pick<Outcome, 'terms' | 'sum' | 'error'> {
    const sum = this.#frontier(() => true);
    const terms = [...this.opened.values()].filter(({ suffix }) => this.#shown.has(suffix)).flatMap((opened) => this.#terms(opened));
    return { terms, sum, error: Math.abs(sum - metric) };
  }

  #frontier(of: (suffix: Suffix) => boolean): number {
    let sum = 0;
    for (const { suffix, paths, suffixes } of this.opened.values()) {
      if (!of(suffix)) continue;
      for (const { value } of paths) sum += value;
      for (const child of suffixes) if (!this.opened.has(child)) sum += child.total;
    }
    return sum;
  }

  #terms({ suffix, paths, suffixes, suffixesByToken }: Opened): Term[] {
    const parent = suffixName(suffix);
    const complete = paths.map((path): Term => ({
      name: pathName(path),
      degree: pathDegree(path),
      value: path.value,
      parent,
      open: false,
      ...(path.byToken && { byToken: path.byToken }),
    }));
    const open = suffixes.map((child, index): Term => ({
      name: suffixName(child),
      degree: child.degree,
      value: child.total,
      parent,
      open: true,
      ...(suffixesByToken && { byToken: suffixesByToken[index]! }),
    }));
    return [...complete, ...open].toSorted((a, b) => Math.abs(b.value!) - Math.abs(a.value!));
  }
}
