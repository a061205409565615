import { visibleToken } from '../figures/numbers.ts';
import type { FlowGraph, GraphNode } from './flow-graph.ts';
import type { Mechanism } from './mechanisms.ts';

/** How nodes are called where there is little room: below them. */
export function shortNames({ nodes }: Pick<FlowGraph, 'nodes'>, mechanisms: readonly Mechanism[]): string[] {
  const names = new Map(mechanisms.map(({ anchor, name }) => [anchor, name]));
  return nodes.map(({ name, node, members }) => {
    if (members) return names.get(name) ?? name;
    switch (node.kind) {
      case 'head':
        return `h${node.head}`;
      case 'mlp':
        return 'mlp';
      case 'attn-bias':
      case 'mlp-bias':
      case 'logits-bias':
        return 'b';
      default:
        return node.kind;
    }
  });
}

/** Tokens as they are read, white space made visible; numbers where a model has no texts. */
export function tokenNames({ tokens, tokenTexts }: { tokens: readonly number[]; tokenTexts?: readonly string[] }): string[] {
  return tokens.map((token, index) => (tokenTexts ? visibleToken(tokenTexts[index]!) : String(token)));
}

/** A node's name without its position, and the position. */
export function placeOf({ name, position }: GraphNode): { name: string; position: number | null } {
  return { name: name.replace(/@\d+$/, ''), position };
}
