import { EngineError } from './errors.ts';

/**
 * The grammar of nodes, edges and paths [M1]–[M4]: one parser, one printer.
 *
 *   source    = "input" | "a" l ".b" | "m" l ".b" | "logits.b"
 *   component = "a" l ".h" h | "m" l
 *   reader    = component [ "<" ("q" | "k" | "v") ">" ] | "logits"
 *   path      = (source | component) { "->" reader }     ending in "logits"
 *   edge      = (source | component) "->" reader
 *   unit      = "m" l ".n" neuron | "a" l ".h" h "@" query "<-" key     printed, never parsed [M22]
 *   place     = (source | component) "@" position | "logits.b" | "logits"
 *   flow      = place "->" place                                        an edge between token positions [M26]
 *   feature   = "f" l "." ( number | "b" | "error" )                    of layer l's dictionary [D1]
 *   fedge     = ( source | component | feature | feature ".b" ) { "->" component } "->" feature     printed, never parsed [D4]
 *
 * `a1.h0<q>` as a reader means that only the query input of head 1.0 is read; without a slot all three are.
 * A path that starts at a component is a *suffix*: all paths that end in it together [M12].
 * `a0.h1@5->a1.h3@9` is what query 9 of head 1.3 takes of what head 0.1 wrote at token 5. `logits` and `logits.b` stand
 * without a position: they are at the one that is read. `m1.b@5->m1@5` is the part of `m1` at token 5 that it owes to
 * its own bias, the only place that flows into its own node.
 */

export type Slot = 'q' | 'k' | 'v';

export type Node =
  | { kind: 'input' }
  | { kind: 'head'; layer: number; head: number }
  | { kind: 'mlp'; layer: number }
  | { kind: 'attn-bias'; layer: number }
  | { kind: 'mlp-bias'; layer: number }
  | { kind: 'logits-bias' }
  | { kind: 'logits' };

/** A node as a stop on a path, with the input slot it is entered by (null = all of its inputs). */
export interface Stop {
  node: Node;
  slot: Slot | null;
}

export type Path = readonly Stop[];

/** What of an architecture the grammar must know to judge a path. Layers and heads are counts. */
export interface Shape {
  layers: number;
  heads: number;
  hasMlp: boolean;
  /** heads and MLP of a layer read the same residual [M2] */
  parallel: boolean;
}

const NODE = /^(?:(input)|(logits)|(logits\.b)|a(0|[1-9]\d*)\.h(0|[1-9]\d*)|a(0|[1-9]\d*)\.b|m(0|[1-9]\d*)|m(0|[1-9]\d*)\.b)$/;

export function parseNode(text: string): Node {
  const match = NODE.exec(text);
  if (!match) {
    throw new EngineError('bad-name', 'node name', 'input, a0.h0, a0.b, m0, m0.b, logits.b or logits', quote(text));
  }
  const [, input, logits, logitsBias, headLayer, head, attnBias, mlp, mlpBias] = match;
  if (input) return { kind: 'input' };
  if (logits) return { kind: 'logits' };
  if (logitsBias) return { kind: 'logits-bias' };
  if (headLayer !== undefined) return { kind: 'head', layer: Number(headLayer), head: Number(head) };
  if (attnBias !== undefined) return { kind: 'attn-bias', layer: Number(attnBias) };
  if (mlp !== undefined) return { kind: 'mlp', layer: Number(mlp) };
  return { kind: 'mlp-bias', layer: Number(mlpBias) };
}

export function printNode(node: Node): string {
  switch (node.kind) {
    case 'input':
      return 'input';
    case 'logits':
      return 'logits';
    case 'logits-bias':
      return 'logits.b';
    case 'head':
      return `a${node.layer}.h${node.head}`;
    case 'attn-bias':
      return `a${node.layer}.b`;
    case 'mlp':
      return `m${node.layer}`;
    case 'mlp-bias':
      return `m${node.layer}.b`;
  }
}

/** One neuron of an MLP [M22], such as `m2.n17`. */
export function printNeuron(layer: number, neuron: number): string {
  return `${printNode({ kind: 'mlp', layer })}.n${neuron}`;
}

/** What a head's query takes from a key [M22], such as `a1.h0@7<-3`; both are token positions. */
export function printHeadPair(layer: number, head: number, query: number, key: number): string {
  return `${printNode({ kind: 'head', layer, head })}@${printPositions(query, key)}`;
}

/** A query and a key by their token positions, such as `7<-3`. */
export function printPositions(query: number, key: number): string {
  return `${query}<-${key}`;
}

/** A part of what a sparse dictionary explains [D1]: a feature by its number, the decoder's bias, or what it leaves unexplained. */
export interface FeatureNode {
  layer: number;
  part: number | 'b' | 'error';
}

const FEATURE = /^f(0|[1-9]\d{0,5})\.(?:(0|[1-9]\d{0,8})|(b|error))$/;

/** Such as `f2.1041`, `f2.b` or `f2.error`; the grammar alone. */
export function parseFeature(text: string): FeatureNode {
  const match = FEATURE.exec(text);
  if (!match) throw new EngineError('bad-name', 'feature name', 'f0.12, f0.b or f0.error', quote(text));
  const [, layer, feature, rest] = match;
  return { layer: Number(layer), part: feature === undefined ? (rest as 'b' | 'error') : Number(feature) };
}

export function printFeature({ layer, part }: FeatureNode): string {
  return `f${layer}.${part}`;
}

/** True for `f2.1041`, `f2.b` and `f2.error`, by the grammar alone. */
export function isFeatureName(text: string): boolean {
  return FEATURE.test(text);
}

/** A feature at a token position, such as `f2.1041@5`; null = without one. */
export function parseFeaturePlace(text: string): { feature: FeatureNode; position: number | null } {
  const [name, position, ...more] = text.split('@');
  if (more.length > 0 || (position !== undefined && !/^(?:0|[1-9]\d{0,8})$/.test(position))) {
    throw new EngineError('bad-name', 'feature name', 'a feature with at most one position, such as f2.1041@5', quote(text));
  }
  return { feature: parseFeature(name!), position: position === undefined ? null : Number(position) };
}

const STOP = /^([^<>]*)(?:<([qkv])>)?$/;

/** Parses a path or edge; the grammar alone, without a model. See {@link checkPath}. */
export function parsePath(text: string): Path {
  const parts = text.split('->');
  if (parts.length < 2) {
    throw new EngineError('bad-path', 'path', 'at least two nodes joined by ->', quote(text));
  }
  return parts.map((part) => {
    const match = STOP.exec(part);
    if (!match) {
      throw new EngineError('bad-path', `path ${quote(text)}`, 'a node with at most one slot <q>, <k> or <v>', quote(part));
    }
    const node = parseNode(match[1]!);
    return { node, slot: (match[2] as Slot | undefined) ?? null };
  });
}

export function printStop(stop: Stop): string {
  return stop.slot ? `${printNode(stop.node)}<${stop.slot}>` : printNode(stop.node);
}

export function printPath(path: Path): string {
  return path.map(printStop).join('->');
}

/** Number of blocks that the path goes through [M4]: its heads and MLPs, and the block whose bias it starts at [M10]. */
export function degreeOf(path: Path): number {
  return path.filter(({ node }) => isComponent(node) || isBlockBias(node)).length;
}

/** True for `a{l}.b` and `m{l}.b`, which count as a step through their block; `logits.b` does not. */
export function isBlockBias(node: Node): boolean {
  return node.kind === 'attn-bias' || node.kind === 'mlp-bias';
}

/** True for nodes that read the residual stream and write to it. */
export function isComponent(node: Node): node is Extract<Node, { kind: 'head' | 'mlp' }> {
  return node.kind === 'head' || node.kind === 'mlp';
}

/**
 * Position of a node's stage in the order in which stages read the residual [M2]: `input` −1, then the
 * stages from 0, `logits` last. A bias source has the stage of its block, `logits.b` that of `logits`.
 */
export function stageOf(node: Node, shape: Shape): number {
  const perLayer = shape.hasMlp && !shape.parallel ? 2 : 1;
  switch (node.kind) {
    case 'input':
      return -1;
    case 'head':
    case 'attn-bias':
      return node.layer * perLayer;
    case 'mlp':
    case 'mlp-bias':
      return node.layer * perLayer + perLayer - 1;
    case 'logits':
    case 'logits-bias':
      return shape.layers * perLayer;
  }
}

/** Throws unless the model has the node. `where` starts the message. */
export function checkNode(node: Node, shape: Shape, where: string): void {
  const name = printNode(node);
  if ('layer' in node && node.layer >= shape.layers) {
    throw new EngineError('bad-name', where, `a layer below ${shape.layers}`, name);
  }
  if (node.kind === 'head' && node.head >= shape.heads) {
    throw new EngineError('bad-name', where, `a head below ${shape.heads}`, name);
  }
  if ((node.kind === 'mlp' || node.kind === 'mlp-bias') && !shape.hasMlp) {
    throw new EngineError('bad-name', where, 'a node of an attention-only model', name);
  }
}

/** Throws unless the path runs forwards through nodes of the model to `logits`, slots on heads alone. */
export function checkPath(path: Path, shape: Shape): void {
  const where = `path ${quote(printPath(path))}`;
  path.forEach(({ node, slot }, index) => {
    checkNode(node, shape, where);
    const last = index === path.length - 1;
    if (last && node.kind !== 'logits') {
      throw new EngineError('bad-path', where, 'logits at its end', printNode(node));
    }
    if (!last && node.kind === 'logits') {
      throw new EngineError('bad-path', where, 'logits at its end alone', `logits at place ${index + 1}`);
    }
    if (slot && (node.kind !== 'head' || index === 0)) {
      throw new EngineError('bad-path', where, 'a slot on a head that reads', printStop({ node, slot }));
    }
    if (index > 0 && !last && !isComponent(node)) {
      throw new EngineError('bad-path', where, 'heads and MLPs between its ends', printNode(node));
    }
    if (index > 0) checkForwards(path[index - 1]!.node, node, shape, where);
  });
}

/** An edge between a writer and a reader, as `parsePath` gives it. */
export interface Edge {
  from: Node;
  to: Stop;
}

/**
 * The edge of that name, proven to be one of the model: a writer (`input`, a head, an MLP) and a later reader (a head
 * with or without a slot, an MLP, `logits`).
 */
export function parseEdge(name: string, shape: Shape): Edge {
  const where = `edge ${quote(name)}`;
  const path = parsePath(name);
  const [first, to] = path;
  if (path.length !== 2) throw new EngineError('bad-path', where, 'two nodes', `${path.length}`);
  const from = first!.node;
  if (first!.slot || !(from.kind === 'input' || isComponent(from))) {
    throw new EngineError('bad-path', where, 'input, a head or an MLP that writes', printStop(first!));
  }
  if (!(to!.node.kind === 'logits' || isComponent(to!.node))) {
    throw new EngineError('bad-path', where, 'a head, an MLP or logits that reads', printStop(to!));
  }
  if (to!.slot && to!.node.kind !== 'head') throw new EngineError('bad-path', where, 'a slot on a head', printStop(to!));
  for (const node of [from, to!.node]) checkNode(node, shape, where);
  checkForwards(from, to!.node, shape, where);
  return { from, to: to! };
}

export function printEdge({ from, to }: Edge): string {
  return `${printNode(from)}->${printStop(to)}`;
}

/** A node at a token position; null for `logits` and `logits.b`, which are at the position that is read. */
export interface Place {
  node: Node;
  position: number | null;
}

/** Part of the flow of an edge [M26]: from where it was written to where it is read. */
export interface PlacedEdge {
  from: Place;
  to: Place;
}

const PLACE = /^([^@]*)(?:@(0|[1-9]\d{0,8}))?$/;

export function parsePlace(text: string): Place {
  const match = PLACE.exec(text);
  if (!match) throw new EngineError('bad-name', 'place', 'a node and a position, such as a0.h1@5', quote(text));
  const node = parseNode(match[1]!);
  const isPlaced = match[2] !== undefined;
  if (isPlaced === isAtTheEnd(node)) {
    throw new EngineError('bad-name', 'place', isPlaced ? `${match[1]} without a position` : `${match[1]}@ and a position`, quote(text));
  }
  return { node, position: isPlaced ? Number(match[2]) : null };
}

export function printPlace({ node, position }: Place): string {
  return position === null ? printNode(node) : `${printNode(node)}@${position}`;
}

/** The grammar alone, without a model. See {@link checkPlacedEdge}. */
export function parsePlacedEdge(name: string): PlacedEdge {
  const parts = name.split('->');
  if (parts.length !== 2) throw new EngineError('bad-path', `flow ${quote(name)}`, 'two places', `${parts.length}`);
  return { from: parsePlace(parts[0]!), to: parsePlace(parts[1]!) };
}

/**
 * Throws unless the flow is one of the model: forwards through its stages, a head from a key no later than its query,
 * everything else within one token.
 */
export function checkPlacedEdge(edge: PlacedEdge, shape: Shape): void {
  const { from, to } = edge;
  const where = `flow ${quote(printPlacedEdge(edge))}`;
  for (const { node } of [from, to]) checkNode(node, shape, where);
  if (from.node.kind === 'logits') throw new EngineError('bad-path', where, 'a place that writes', printPlace(from));
  if (to.node.kind !== 'logits' && !isComponent(to.node)) {
    throw new EngineError('bad-path', where, 'a head, an MLP or logits that reads', printPlace(to));
  }
  const isOwnBias = from.node.kind === 'mlp-bias' && to.node.kind === 'mlp' && from.node.layer === to.node.layer;
  if (from.node.kind === 'mlp-bias' && !isOwnBias) {
    throw new EngineError('bad-path', where, 'a bias that flows into its own MLP', printPlace(to));
  }
  if (!isOwnBias) checkForwards(from.node, to.node, shape, where);
  const [key, query] = [from.position, to.position];
  if (key !== null && query !== null && (to.node.kind === 'head' ? key > query : key !== query)) {
    const expected = to.node.kind === 'head' ? 'a key no later than its query' : 'one position';
    throw new EngineError('bad-path', where, expected, `${key} and ${query}`);
  }
}

/** The node or edge that a place or a flow is a part of: `a0.h1@5->a1.h3@9` of `a0.h1->a1.h3`. */
export function withoutPositions(name: string): string {
  return name.replaceAll(/@\d+/g, '');
}

export function printPlacedEdge({ from, to }: PlacedEdge): string {
  return `${printPlace(from)}->${printPlace(to)}`;
}

/** True for what belongs to the position that is read, whichever that is. */
function isAtTheEnd(node: Node): boolean {
  return node.kind === 'logits' || node.kind === 'logits-bias';
}

function checkForwards(from: Node, to: Node, shape: Shape, where: string): void {
  const fromStage = stageOf(from, shape);
  const toStage = stageOf(to, shape);
  const forwards = from.kind === 'logits-bias' ? to.kind === 'logits' : fromStage < toStage;
  if (!forwards) {
    throw new EngineError('bad-path', where, 'nodes in strictly increasing stage order', `${printNode(from)}->${printNode(to)}`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
