import type { Answer, Term } from '../engine/index.ts';
import { heatmapFigure } from './heatmap.ts';

/** The blocks that a term `{a0,m1}` is about, in order; of `{}` none. */
export function blocksOf({ name }: Pick<Term, 'name'>): string[] {
  const inside = name.slice(1, -1);
  return inside === '' ? [] : inside.split(',');
}

export interface InteractionTable {
  /** in the order in which they read the stream */
  blocks: string[];
  /** I of a set of one or two blocks; null where it was not evaluated */
  pair: (first: string, second: string) => Term | null;
}

/** Sets of one block on the diagonal, of two beside it. */
export function interactionTable({ terms }: Answer): InteractionTable {
  const single = terms.filter(({ degree }) => degree === 1).flatMap(blocksOf);
  const blocks = [...new Set([...single, ...terms.flatMap(blocksOf)])].sort((left, right) => placeOf(left) - placeOf(right));
  const at = new Map(terms.map((term) => [blocksOf(term).join(), term]));
  const pair = (first: string, second: string) => {
    if (first === second) return at.get(first) ?? null;
    const names = placeOf(first) < placeOf(second) ? [first, second] : [second, first];
    return at.get(names.join()) ?? null;
  };
  return { blocks, pair };
}

/** a0, m0 (or a0+m0), a1, …: by layer, attention first. */
function placeOf(block: string): number {
  return 2 * Number(/\d+/.exec(block)?.[0] ?? 0) + Number(block.startsWith('m'));
}

export interface OrderSum {
  order: number;
  /** Σ I(T) over |T| = order */
  value: number;
  /** Σ|I(T)| */
  mass: number;
  sets: number;
}

/** Interactions by the number of blocks in the set. */
export function byOrder({ terms }: Answer): OrderSum[] {
  const sums = new Map<number, OrderSum>();
  for (const { degree = 0, value = 0 } of terms) {
    const sum = sums.get(degree) ?? { order: degree, value: 0, mass: 0, sets: 0 };
    sums.set(degree, { order: degree, value: sum.value + value, mass: sum.mass + Math.abs(value), sets: sum.sets + 1 });
  }
  return [...sums.values()].sort((left, right) => left.order - right.order);
}

export function interactionsFigure(answer: Answer): string {
  const { blocks, pair } = interactionTable(answer);
  return heatmapFigure({
    id: 'interactions-matrix',
    title: 'Interactions of one block (diagonal) and of two',
    down: 'block',
    along: 'block',
    shade: `${answer.foil === null ? 'logit' : 'logit difference'} (logits)`,
    rows: blocks,
    columns: blocks,
    signed: true,
    value: (row, column) => pair(blocks[row]!, blocks[column]!)?.value ?? null,
    name: (row, column) => pair(blocks[row]!, blocks[column]!)?.name ?? `{${blocks[row]},${blocks[column]}}`,
  });
}
