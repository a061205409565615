import { printNode } from '../names.ts';
import type { Term } from '../request.ts';
import { Trie } from '../trie.ts';
import { identity, largest, type Asked, type Outcome } from './view.ts';

/**
 * Direct logit attribution: what each node's own output adds to the metric through the frozen final norm
 * [M5], [M7]. An `m{l}` holds its own bias, a head does not hold its layer's `a{l}.b`.
 */
export async function directView(asked: Asked): Promise<Outcome> {
  const { terms, remainder } = largest(await directTerms(asked), asked.top);
  return identity(terms, remainder, asked.metric);
}

export async function directTerms({ model, question }: Asked): Promise<Term[]> {
  const run = await model.clean(question.tokens);
  const trie = new Trie(model, run, await model.direction(run, question));
  const [root] = await trie.open([trie.root]);
  const values = new Map<string, number>();
  const order: string[] = [];
  const add = (name: string, value: number) => {
    if (!values.has(name)) order.push(name);
    values.set(name, (values.get(name) ?? 0) + value);
  };
  const parts = [
    ...root!.paths.map(({ source, value }) => ({ node: source, value })),
    ...root!.suffixes.map(({ node, total }) => ({ node, value: total })),
  ];
  for (const { node, value } of parts) {
    add(node.kind === 'mlp-bias' ? printNode({ kind: 'mlp', layer: node.layer }) : printNode(node), value);
  }
  return order.map((name) => ({ name, value: values.get(name)! })).toSorted((a, b) => orderOf(a.name) - orderOf(b.name));
}

/** Sorts names as they enter the stream: input, a0.h0 …, a0.b, m0, a1.h0 …, logits.b. */
function orderOf(name: string): number {
  if (name === 'input') return -1;
  if (name === 'logits.b') return Number.MAX_SAFE_INTEGER;
  const [, kind, layer, head] = /^([am])(\d+)(?:\.(?:h(\d+)|b))?$/.exec(name)!;
  const within = kind === 'm' ? 999_999 : head === undefined ? 999_998 : Number(head);
  return Number(layer) * 1_000_000 + within;
}
