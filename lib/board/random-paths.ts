import { degreeOf, isComponent, parsePath, printNode, type Answer } from '../engine/index.ts';

/**
 * Paths like a given one, drawn with a seed: of the same degree, from `input` where it starts there, else from any head
 * or MLP. Each is as likely as any other; none comes twice, the given one not at all. Fewer than `count` where there are
 * no more. The same flow answer, path, count and seed give the same paths everywhere.
 */
export function randomPathsLike(path: string, flow: Answer, count: number, seed: number): string[] {
  const parsed = parsePath(path);
  const graph = graphOf(flow);
  const starts = parsed[0]!.node.kind === 'input' ? ['input'] : [...graph.readers.keys()].filter((name) => name !== 'input');
  // Components after the first stop; the first one counts itself, `input` does not.
  const steps = degreeOf(parsed) - (isComponent(parsed[0]!.node) ? 1 : 0);
  const ways = waysOf(graph, steps);
  const random = seeded(seed);
  const total = starts.reduce((sum, start) => sum + ways(start, steps), 0);
  const drawn = new Set<string>();
  const own = parsed.map(({ node }) => printNode(node)).join('->');
  // All others of a small set are found by drawing until none is left out, which takes about n·ln n draws.
  const wanted = Math.min(count, total - 1);
  for (let tries = 0; drawn.size < wanted && tries < 100 * (count + 10); tries++) {
    const one = draw(starts, steps, graph, ways, random);
    if (one !== own) drawn.add(one);
  }
  return [...drawn];
}

interface Graph {
  /** by writer: the heads and MLPs that read it */
  readers: Map<string, string[]>;
  /** writers that `logits` reads */
  last: Set<string>;
}

type Ways = (from: string, steps: number) => number;

/** The value paths of the model, as the edges of a `flow` answer tell them. */
function graphOf({ terms }: Answer): Graph {
  const readers = new Map<string, string[]>();
  const last = new Set<string>();
  for (const { name } of terms) {
    const [from = '', to = ''] = name.split('->');
    if (from.endsWith('.b')) continue;
    const known = readers.get(from) ?? [];
    readers.set(from, known);
    if (to === 'logits') last.add(from);
    else known.push(to);
  }
  return { readers, last };
}

/** How many paths to `logits` go through exactly so many heads and MLPs after a node. */
function waysOf({ readers, last }: Graph, most: number): Ways {
  let level = new Map([...readers.keys()].map((name) => [name, last.has(name) ? 1 : 0]));
  const levels = [level];
  for (let step = 1; step <= most; step++) {
    const before = level;
    level = new Map([...readers].map(([name, next]) => [name, next.reduce((sum, reader) => sum + (before.get(reader) ?? 0), 0)]));
    levels.push(level);
  }
  return (from, steps) => levels[steps]?.get(from) ?? 0;
}

function draw(starts: readonly string[], steps: number, { readers }: Graph, ways: Ways, random: () => number): string {
  const stops = [pick(starts, (name) => ways(name, steps), random)];
  for (let left = steps - 1; left >= 0; left--) {
    const next = readers.get(stops.at(-1)!) ?? [];
    stops.push(pick(next, (name) => ways(name, left), random));
  }
  return [...stops, 'logits'].join('->');
}

function pick(names: readonly string[], weightOf: (name: string) => number, random: () => number): string {
  const total = names.reduce((sum, name) => sum + weightOf(name), 0);
  let left = random() * total;
  for (const name of names) {
    left -= weightOf(name);
    if (left < 0) return name;
  }
  return names.findLast((name) => weightOf(name) > 0) ?? names[0] ?? '';
}

/** mulberry32: uniform in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
