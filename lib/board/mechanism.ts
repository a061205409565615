import { isComponent, parseNode, parsePath, parsePlace, type Answer, type Node } from '../engine/index.ts';

/**
 * What a mechanism's members add up to. Each member says which frozen paths it stands for: a complete path for itself,
 * a suffix for all paths that end in it [M12], an edge or a node for all paths that go through it [M26]. A mechanism
 * stands for their union, so a path that two members stand for counts once.
 */
export interface Members {
  /** complete paths and suffixes, none of them inside another one: their values add up */
  paths: string[];
  /** paths inside a listed suffix */
  covered: string[];
  /** paths and edges through one slot of a head: no part of the frozen expansion [M14] */
  slotted: string[];
  /** nodes and edges at token positions: parts of those without, which no causal test changes alone */
  placed: string[];
  edges: string[];
  nodes: string[];
}

/** What members of one sort add up to, or why they do not. */
export type Total = { exact: true; value: number } | { exact: false; shared: [string, string] };

export function readMembers(members: readonly string[]): Members {
  const unique = [...new Set(members)];
  const slotted = unique.filter((name) => name.includes('<'));
  const placed = unique.filter((name) => name.includes('@'));
  const plain = unique.filter((name) => !name.includes('<') && !name.includes('@'));
  const nodes = plain.filter((name) => !name.includes('->'));
  const ending = plain.filter((name) => name.endsWith('->logits'));
  const covered = ending.filter((name) => ending.some((other) => isInside(name, other)));
  return {
    paths: ending.filter((name) => !covered.includes(name)),
    covered,
    slotted,
    placed,
    edges: plain.filter((name) => name.includes('->') && !name.endsWith('->logits')),
    nodes,
  };
}

/** Whether every path that `name` stands for ends in `suffix`, another one. */
export function isInside(name: string, suffix: string): boolean {
  return name !== suffix && name.endsWith(`->${suffix}`);
}

/** The suffixes whose opening lists the paths: what a `suffixes` request names. */
export function parentsOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map((name) => name.slice(name.indexOf('->') + 2)))];
}

/** The sum of paths that a `suffixes` answer lists; null where it lacks one. */
export function sumOfPaths(paths: readonly string[], answer: Answer): number | null {
  const values = new Map(answer.terms.map((term) => [term.name, term.value]));
  let sum = 0;
  for (const name of paths) {
    const value = values.get(name);
    if (value === undefined) return null;
    sum += value;
  }
  return sum;
}

/**
 * What all frozen paths through the edges add up to, from a `flow` answer: the sum of their flows where no path uses two
 * of them. Null where the answer lacks one.
 */
export function flowOfEdges(edges: readonly string[], answer: Answer): Total | null {
  const flows = flowsOf(answer);
  if (edges.some((edge) => !flows.has(edge))) return null;
  const shared = firstPair(edges, (a, b) => meets(endOf(a), startOf(b), flows) || meets(endOf(b), startOf(a), flows));
  return shared ? { exact: false, shared } : { exact: true, value: sumBy(edges, (edge) => flows.get(edge)!) };
}

/**
 * What all frozen paths through the nodes add up to: what flows out of them, an MLP's own bias included, where no path
 * goes through two of them.
 */
export function flowOfNodes(nodes: readonly string[], answer: Answer): Total | null {
  const flows = flowsOf(answer);
  const outOf = (node: string) => [...flows].filter(([edge]) => edge.startsWith(`${node}->`));
  if (nodes.some((node) => outOf(node).length === 0)) return null;
  const shared = firstPair(nodes, (a, b) => flows.has(`${a}->${b}`) || flows.has(`${b}->${a}`));
  if (shared) return { exact: false, shared };
  return { exact: true, value: sumBy(nodes, (node) => sumBy(outOf(node), ([, flow]) => flow)) };
}

/**
 * What all frozen paths through nodes at token positions add up to, from a `flow` answer by position, where no path goes
 * through two of them. Null where the answer lacks one, or one is an edge.
 */
export function flowOfPlaces(places: readonly string[], answer: Answer): Total | null {
  const through = new Map((answer.through ?? []).map(({ name, value }) => [name, value]));
  if (places.some((place) => !through.has(place))) return null;
  const shared = firstPair(places, (a, b) => reaches(a, b) || reaches(b, a));
  return shared ? { exact: false, shared } : { exact: true, value: sumBy(places, (place) => through.get(place)!) };
}

/** Whether a path can go on from one place to the other: to a later block, at the same token or a later one. */
function reaches(from: string, to: string): boolean {
  const [a, b] = [parsePlace(from), parsePlace(to)];
  return blockOf(a.node) < blockOf(b.node) && (a.position ?? Infinity) <= (b.position ?? Infinity);
}

/** Attention and MLP of each layer in order. Of parallel ones no path goes through both, which is not told apart here. */
function blockOf(node: Node): number {
  if (!('layer' in node)) return node.kind === 'input' ? -1 : Infinity;
  return 2 * node.layer + Number(node.kind === 'mlp' || node.kind === 'mlp-bias');
}

/** Members that a causal test of all at once can change: paths that start where something else can be written, and so on. */
export function testable({ paths, slotted, edges, nodes }: Members): { paths: string[]; edges: string[]; nodes: string[] } {
  return {
    paths: [...paths, ...slotted.filter((name) => name.endsWith('->logits'))].filter((name) => writes(startNode(name))),
    edges: [...edges, ...slotted.filter((name) => !name.endsWith('->logits'))].filter((name) => writes(startNode(name))),
    nodes: nodes.filter((name) => writes(parseNode(name))),
  };
}

/** What a list of members lost and gained since it was another one. */
export function changesSince(before: readonly string[], now: readonly string[]): { added: string[]; removed: string[] } {
  return { added: now.filter((name) => !before.includes(name)), removed: before.filter((name) => !now.includes(name)) };
}

function flowsOf(answer: Answer): Map<string, number> {
  return new Map(answer.terms.map((term) => [term.name, term.value ?? Number.NaN]));
}

/** Whether a path can go on from one node to the other: between any two that an edge joins. */
function meets(from: string, to: string, flows: ReadonlyMap<string, number>): boolean {
  return from === to || flows.has(`${from}->${to}`);
}

const startOf = (edge: string) => edge.slice(0, edge.indexOf('->'));
const endOf = (edge: string) => edge.slice(edge.indexOf('->') + 2);

function startNode(path: string): Node {
  return parsePath(path)[0]!.node;
}

function writes(node: Node): boolean {
  return node.kind === 'input' || isComponent(node);
}

function firstPair(names: readonly string[], holds: (a: string, b: string) => boolean): [string, string] | null {
  for (const [index, a] of names.entries()) {
    const b = names.slice(index + 1).find((other) => holds(a, other));
    if (b !== undefined) return [a, b];
  }
  return null;
}

function sumBy<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
