import type { Group, Label } from '../board/records.ts';
import { EngineError, isEngineError, parseNode, printNode, type Answer } from '../engine/index.ts';

/** Attribution graphs as circuit-tracer writes and Neuronpedia reads them; see README.md for what is ours in them. */

export interface GraphNode {
  node_id: string;
  feature: number | null;
  layer: string | number;
  ctx_idx: number;
  feature_type: string;
  jsNodeId: string;
  clerp: string;
  token_prob?: number;
  is_target_logit?: boolean;
  run_idx?: number;
  reverse_ctx_idx?: number;
  influence?: number | null;
  activation?: number | null;
  [more: string]: unknown;
}

export interface GraphLink {
  source: string;
  target: string;
  weight: number;
  [more: string]: unknown;
}

export interface AttributionGraph {
  metadata: { slug: string; scan: string; prompt_tokens: string[]; prompt: string; [more: string]: unknown };
  qParams: {
    pinnedIds?: string[];
    supernodes?: string[][];
    linkType?: string;
    clickedId?: string;
    sg_pos?: string;
    [more: string]: unknown;
  };
  nodes: GraphNode[];
  links: GraphLink[];
  pathboard?: Extension;
  [more: string]: unknown;
}

interface Extension {
  version: 1;
  kind: string;
  view: string;
  model: Answer['model'];
  tokens: number[];
  position: number | null;
  target: number | null;
  foil: number | null;
  metric: number | null;
  nodes: Record<string, string>;
  groups: { name: string; members: string[] }[];
  paths: { name: string; value: number }[];
  labels: { anchor: string; text: string }[];
}

export interface GraphSource {
  slug: string;
  prompt: string;
  /** of the model, which `flow` may not show */
  layers: number;
  /** a `flow` answer, by token positions or not */
  flow: Answer;
  /** a `paths` answer to the same question, or null */
  paths: Answer | null;
  groups: readonly Group[];
  labels: readonly Label[];
  /** nodes or paths whose nodes are pinned */
  pinned: readonly string[];
}

/** Nodes and links of a graph that is read. */
const MOST = 200_000;

export function writeAttributionGraph(source: GraphSource): AttributionGraph {
  const { slug, prompt, flow, paths, groups, labels, pinned } = source;
  const edges = flow.terms.flatMap(({ name, value }) => {
    const [from, to, ...more] = name.split('->');
    return from && to && more.length === 0 && value !== undefined ? [{ from, to: withoutSlot(to), value }] : [];
  });
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  const nodes = names.map((name) => ({ name, node: nodeOf(name, source) }));
  const ids = new Map(nodes.map(({ name, node }) => [name, node.node_id]));
  const idsOf = (members: readonly string[]) => {
    const wanted = new Set(members.flatMap((member) => member.split('->').map(withoutSlot)));
    return nodes.filter(({ name }) => wanted.has(placeless(name))).map(({ node }) => node.node_id);
  };
  const { tokens, tokenTexts, position, target, foil, metric, kind, view, model } = flow;
  return {
    metadata: {
      slug,
      scan: model.name,
      transcoder_list: [],
      prompt_tokens: tokenTexts ?? tokens.map(String),
      prompt,
      schema_version: 1,
      info: { generator: { name: 'Pathboard', version: flow.engineVersion } },
    },
    qParams: {
      pinnedIds: [...new Set(idsOf([...pinned, ...groups.flatMap(({ members }) => members)]))],
      supernodes: groups.map(({ name, members }) => [name, ...idsOf(members)]),
      linkType: 'both',
      clickedId: '',
      sg_pos: '',
    },
    nodes: nodes.map(({ node }) => node),
    links: edges.map(({ from, to, value }) => ({ source: ids.get(from)!, target: ids.get(to)!, weight: value })),
    pathboard: {
      version: 1,
      kind,
      view,
      model,
      tokens,
      position,
      target,
      foil,
      metric,
      nodes: Object.fromEntries(nodes.map(({ name, node }) => [node.node_id, name])),
      groups: groups.map(({ name, members }) => ({ name, members: [...members] })),
      paths: (paths?.terms ?? []).map(({ name, value = 0 }) => ({ name, value })),
      labels: labels.map(({ anchor, text }) => ({ anchor, text })),
    },
  };
}

/** How many layers the names in these answers reach. */
export function layersOf(answers: readonly Answer[]): number {
  const numbers = answers.flatMap(({ terms }) =>
    terms.flatMap(({ name }) => [...name.matchAll(/\b[am](\d+)/g)].map(([, layer]) => Number(layer))),
  );
  return numbers.reduce((most, layer) => Math.max(most, layer + 1), 0);
}

function nodeOf(name: string, { flow, layers, labels }: GraphSource): GraphNode {
  const [plain, at] = [placeless(name), /@(\d+)$/.exec(name)?.[1]];
  const place = at === undefined ? (flow.position ?? 0) : Number(at);
  const node = parseNode(plain);
  const said = labels.filter(({ anchor }) => anchor === plain).map(({ text }) => text);
  const together = at === undefined && node.kind !== 'logits' ? ', all positions together' : '';
  const common = { ctx_idx: place, run_idx: 0, reverse_ctx_idx: 0, token_prob: 0, is_target_logit: false };
  const clerp = [`${plain}${together}`, ...said].join(' · ');
  switch (node.kind) {
    case 'input': {
      const token = flow.tokens[place] ?? -1;
      // Without positions no one token is meant.
      const id = at === undefined ? `E_input_${place}` : `E_${token}_${place}`;
      return {
        node_id: id,
        feature: place,
        layer: 'E',
        feature_type: 'embedding',
        jsNodeId: id.replace(/_(\d+)$/, '-$1'),
        clerp,
        ...common,
      };
    }
    case 'head':
      return own(`${node.layer}_h${node.head}`, node.head, String(node.layer), 'attention head');
    case 'mlp':
      return own(`${node.layer}_mlp`, -1, String(node.layer), 'mlp');
    case 'attn-bias':
      return own(`${node.layer}_bias`, -1, String(node.layer), 'bias');
    case 'mlp-bias':
      return own(`${node.layer}_mlpbias`, -1, String(node.layer), 'bias');
    case 'logits-bias':
      return own('L_bias', -1, String(layers + 1), 'bias');
    case 'logits': {
      const target = flow.target ?? -1;
      const texts = [flow.targetText ?? String(target), ...(flow.foil === null ? [] : [flow.foilText ?? String(flow.foil)])];
      return {
        ...common,
        node_id: `${layers + 1}_${target}_${place}`,
        feature: target,
        layer: String(layers + 1),
        feature_type: 'logit',
        is_target_logit: true,
        jsNodeId: `L_${target}-${place}`,
        clerp: `Output ${texts.map((text) => JSON.stringify(text)).join(' − ')}`,
      };
    }
  }

  function own(id: string, feature: number, layer: string, type: string): GraphNode {
    return { ...common, node_id: `${id}_${place}`, feature, layer, feature_type: type, jsNodeId: `${id}-${place}`, clerp };
  }
}

/** What of a graph has a name here. */
export interface ReadGraph {
  graph: AttributionGraph;
  /** mechanisms, with what has no name here left out of them */
  groups: { name: string; members: string[] }[];
  /** names of pinned nodes */
  pinned: string[];
  labels: { anchor: string; text: string }[];
  /** nodes that are features, which have no name here */
  unnamed: number;
}

/** Keeps everything that is in the file. @throws EngineError that says where and what was expected */
export function readAttributionGraph(value: unknown): ReadGraph {
  const graph = checkGraph(value);
  const extension = graph.pathboard;
  const names = new Map<string, string>();
  for (const { node_id: id } of graph.nodes) {
    const name = nameOf(id, extension);
    if (name !== null) names.set(id, name);
  }
  const named = (ids: readonly string[]) => [...new Set(ids.flatMap((id) => names.get(id) ?? []))];
  const supernodes = (graph.qParams.supernodes ?? []).map(([name = '', ...ids]) => ({ name, members: named(ids) }));
  const groups = isNamedList(extension?.groups) ? extension.groups : supernodes;
  return {
    graph,
    groups: groups.filter(({ members }) => members.length > 0),
    pinned: named(graph.qParams.pinnedIds ?? []),
    labels: Array.isArray(extension?.labels) ? extension.labels.filter(isLabel) : [],
    unnamed: graph.nodes.length - names.size,
  };
}

/** Ids as {@link writeAttributionGraph} makes them, whoever wrote them. */
const ID = /^(?:(E)_.+|(\d+)_(?:h(\d+)|(mlp)|(bias)|(mlpbias))|(L)_bias)_\d+$/;

function nameOf(id: string, extension: Extension | undefined): string | null {
  const own = extension?.nodes && Object.hasOwn(extension.nodes, id) ? extension.nodes[id] : undefined;
  if (typeof own === 'string' && isNode(placeless(own))) return placeless(own);
  const match = ID.exec(id);
  if (!match) return null;
  const [, embedding, layer, head, mlp, bias] = match;
  // A token's embedding is part of input; input itself is all of them.
  if (embedding) return id.startsWith('E_input_') ? 'input' : null;
  const at = Number(layer);
  if (head !== undefined) return printNode({ kind: 'head', layer: at, head: Number(head) });
  if (mlp) return printNode({ kind: 'mlp', layer: at });
  return bias ? printNode({ kind: 'attn-bias', layer: at }) : null;
}

function checkGraph(value: unknown): AttributionGraph {
  const graph = object(value, 'graph');
  const metadata = object(graph['metadata'], 'metadata');
  for (const field of ['slug', 'scan', 'prompt'] as const) text(metadata[field], `metadata.${field}`);
  list(metadata['prompt_tokens'], 'metadata.prompt_tokens').forEach((token, index) => text(token, `metadata.prompt_tokens[${index}]`));
  const qParams = object(graph['qParams'], 'qParams');
  if (qParams['pinnedIds'] !== undefined)
    list(qParams['pinnedIds'], 'qParams.pinnedIds').forEach((id, index) => text(id, `qParams.pinnedIds[${index}]`));
  if (qParams['supernodes'] !== undefined) {
    list(qParams['supernodes'], 'qParams.supernodes').forEach((supernode, index) =>
      list(supernode, `qParams.supernodes[${index}]`).forEach((id) => text(id, `qParams.supernodes[${index}]`)),
    );
  }
  const ids = new Set<string>();
  list(graph['nodes'], 'nodes').forEach((item, index) => {
    const node = object(item, `nodes[${index}]`);
    const id = text(node['node_id'], `nodes[${index}].node_id`);
    if (ids.has(id)) throw wrong(`nodes[${index}].node_id`, 'each id once', id);
    ids.add(id);
    number(node['ctx_idx'], `nodes[${index}].ctx_idx`);
    text(node['feature_type'], `nodes[${index}].feature_type`);
    if (typeof node['layer'] !== 'string' && typeof node['layer'] !== 'number')
      throw wrong(`nodes[${index}].layer`, 'text or a number', node['layer']);
  });
  list(graph['links'], 'links').forEach((item, index) => {
    const link = object(item, `links[${index}]`);
    for (const end of ['source', 'target'] as const) {
      const id = text(link[end], `links[${index}].${end}`);
      if (!ids.has(id)) throw wrong(`links[${index}].${end}`, 'the id of a node', id);
    }
    number(link['weight'], `links[${index}].weight`);
  });
  return graph as AttributionGraph;
}

function withoutSlot(name: string): string {
  return name.replace(/<[qkv]>/, '');
}

/** Of `a0.h1@5`, `a0.h1`. */
function placeless(name: string): string {
  return withoutSlot(name).replace(/@\d+$/, '');
}

function isNode(name: string): boolean {
  try {
    parseNode(name);
    return true;
  } catch (error) {
    if (isEngineError(error)) return false;
    throw error;
  }
}

function isNamedList(value: unknown): value is { name: string; members: string[] }[] {
  return (
    Array.isArray(value) &&
    value.every(
      (item: unknown) =>
        typeof item === 'object' &&
        item !== null &&
        'name' in item &&
        typeof item.name === 'string' &&
        'members' in item &&
        isTexts(item.members),
    )
  );
}

function isLabel(value: unknown): value is { anchor: string; text: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'anchor' in value &&
    typeof value.anchor === 'string' &&
    'text' in value &&
    typeof value.text === 'string'
  );
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(where, 'an object', value);
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(where, 'a list', value);
  if (value.length > MOST) throw wrong(where, `at most ${MOST} items`, value.length);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw wrong(where, 'text', value);
}

function number(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(where, 'a number', value);
}

function wrong(where: string, expected: string, got: unknown): EngineError {
  return new EngineError('bad-request', `attribution graph: ${where}`, expected, (JSON.stringify(got) ?? 'nothing').slice(0, 200));
}
