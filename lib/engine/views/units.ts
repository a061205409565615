import { EngineError } from '../errors.ts';
import { FrozenMaps, type Component } from '../frozen-maps.ts';
import { checkPath, isComponent, parsePath, printHeadPair, printNeuron, printNode, printPath, type Node } from '../names.ts';
import type { Term } from '../request.ts';
import { slice, tensor, type FloatTensor } from '../runtime.ts';
import { sourceRows } from '../spec.ts';
import { checkFrozen } from './suffixes.ts';
import { identity, largest, type Asked, type Outcome } from './view.ts';

/** A path as what enters the opened node, and how its parts are called. */
interface OpenedPath {
  name: string;
  /** a source, or the component that a suffix starts at */
  start: Node;
  /** components after `start`, in order */
  components: Component[];
  opened: Component;
  /** the path's name with a part's name in the node's place */
  named(part: string): string;
}

/**
 * Opens one node of one frozen path into its parts [M22], in the metric's unit: an MLP into neurons
 * (`input->m0.n17->a1.h0->logits`), a head into pairs of a query and a key (`input->a1.h0@7<-3->logits`; those of
 * exactly 0 are left out). `paths` is one path from a source, or a suffix, which stands for all paths that end in it;
 * `nodes` is one component on it, by default the first. The parts sum to the path's value, `whole`, computed apart from
 * them by pulling the direction back to the path's start. `top` lists the largest |value|.
 * @throws EngineError `bad-request`, `bad-path` or `bad-name` unless there is one such path with such a node
 */
export async function unitsView(asked: Asked): Promise<Outcome> {
  const { model, question, top } = asked;
  const path = openedPath(asked);
  const run = await model.clean(question.tokens);
  const maps = new FrozenMaps(model, run);
  const root = maps.root(await model.direction(run, question));
  const { opened, start, components } = path;
  const at = components.indexOf(opened);
  let direction = root;
  for (const node of components.slice(at + 1).toReversed()) direction = await maps.pull(node, direction);
  const [x, whole] = await Promise.all([
    inputOf(maps, path, at),
    valueOf(maps, start, direction, start === opened ? [] : components.slice(0, at + 1)),
  ]);
  const { terms, remainder } = largest(await partsOf(maps, path, x, slice(direction, 0)), top);
  return { ...identity(terms, remainder, whole), whole: { name: path.name, value: whole } };
}

function openedPath({ model, paths, nodes }: Asked): OpenedPath {
  const [name] = paths;
  if (paths.length !== 1) throw new EngineError('bad-request', 'paths', 'one path', `${paths.length}`);
  if (nodes.length > 1) throw new EngineError('bad-request', 'nodes', 'one node of the path', `${nodes.length}`);
  const path = parsePath(name!);
  checkPath(path, model.spec);
  checkFrozen(path, name!);
  const where = `path ${JSON.stringify(name)}`;
  const stops = path.map(({ node }) => node);
  const place = nodes[0] === undefined ? stops.findIndex(isComponent) : stops.findIndex((node) => printNode(node) === nodes[0]);
  const opened = stops[place];
  if (!opened || !isComponent(opened)) {
    throw new EngineError('bad-path', where, 'a head or MLP on it', nodes[0] ?? 'none');
  }
  const ends = (from: number, to: number) => printPath(path.slice(from, to));
  const named = (part: string) => [ends(0, place), part, ends(place + 1, path.length)].filter(Boolean).join('->');
  return { name: name!, start: stops[0]!, components: stops.filter(isComponent), opened, named };
}

/** What the opened node reads on this path: a source carried through the nodes before it, [S, d]. */
async function inputOf(maps: FrozenMaps, { start, components, opened }: OpenedPath, at: number): Promise<FloatTensor> {
  const { run } = maps;
  if (start === opened) {
    return slice(opened.kind === 'head' ? run.beforeAttention : run.beforeMlp!, opened.layer);
  }
  const source = sourceOf(maps, start);
  let x = tensor(source.data, [1, ...source.dims]);
  for (const node of components.slice(start === components[0] ? 1 : 0, at)) x = await maps.push(node, x);
  return slice(x, 0);
}

/** The path's value from the direction after some of its components, pulled through those. */
async function valueOf(maps: FrozenMaps, start: Node, after: FloatTensor, components: readonly Component[]): Promise<number> {
  let direction = after;
  for (const node of components.toReversed()) if (node !== start) direction = await maps.pull(node, direction);
  const source = sourceOf(maps, start);
  const totals = await maps.totals(direction, tensor(source.data, [1, ...source.dims]));
  return totals.data[0]!;
}

/** What a source writes, or a component without its own bias [M12]. */
function sourceOf({ model, run }: FrozenMaps, node: Node): FloatTensor {
  return slice(run.sources, sourceRows(model.spec).get(printNode(node))!);
}

async function partsOf(maps: FrozenMaps, { opened, named }: OpenedPath, x: FloatTensor, direction: FloatTensor): Promise<Term[]> {
  if (opened.kind === 'mlp') {
    const { data } = await maps.neurons(opened.layer, x, tensor(direction.data, [1, ...direction.dims]));
    return Array.from(data, (value, neuron) => ({ name: named(printNeuron(opened.layer, neuron)), value }));
  }
  const { data, dims } = await maps.pairs(opened.layer, opened.head, x, direction);
  const [length] = dims as [number, number];
  const terms: Term[] = [];
  data.forEach((value, index) => {
    if (value === 0) return;
    const pair = printHeadPair(opened.layer, opened.head, Math.floor(index / length), index % length);
    terms.push({ name: named(pair), value });
  });
  return terms;
}
