import type { Answer, Term } from '../engine/index.ts';
import { barsFigure } from './bars.ts';
import { heatmapsFigure, type Heatmap } from './heatmap.ts';

export const SLOTS = ['q', 'k', 'v'] as const;
export type CompositionSlot = (typeof SLOTS)[number];

const TITLES: Record<CompositionSlot, string> = {
  q: 'Composition into the query',
  k: 'Composition into the key',
  v: 'Composition into the value',
};

/** The scores of a `composition` answer: who writes by who reads. */
export interface CompositionTable {
  writers: string[];
  readers: string[];
  term: (writer: string, reader: string) => Term | null;
}

export function compositionTable({ terms }: Answer): CompositionTable {
  const writers = new Set<string>();
  const readers = new Set<string>();
  const at = new Map<string, Term>();
  for (const term of terms) {
    const [writer, reader] = term.name.split('->');
    if (!writer || !reader) continue;
    writers.add(writer);
    readers.add(reader);
    at.set(term.name, term);
  }
  const byPlace = (left: string, right: string) => placeOf(left) - placeOf(right);
  return {
    writers: [...writers].sort(byPlace),
    readers: [...readers].sort(byPlace),
    term: (writer, reader) => at.get(`${writer}->${reader}`) ?? null,
  };
}

function placeOf(head: string): number {
  const [layer = 0, index = 0] = head.slice(1).split('.h').map(Number);
  return layer * 100_000 + index;
}

/** Standard deviations above the mean of random heads; null where a score has no meaning. */
export function excessOf(score: number | null | undefined, slot: CompositionSlot, { baseline }: Answer): number | null {
  const random = baseline?.[slot];
  if (score === null || score === undefined || !random || random.deviation === 0) return null;
  return (score - random.mean) / random.deviation;
}

/** Pairs of which at least one score lies so many deviations above that of random heads; null = all. */
export function pairsAbove(answer: Answer, least: number | null): Term[] {
  if (least === null) return answer.terms;
  return answer.terms.filter((term) => SLOTS.some((slot) => (excessOf(term[slot], slot, answer) ?? -Infinity) >= least));
}

/** With more heads than this to a side, the largest pairs say more than the matrix. */
const MATRIX_LIMIT = 48;

export function compositionFigure(answer: Answer): string {
  const { writers, readers, term } = compositionTable(answer);
  const [id, title] = ['composition-figure', 'Composition of earlier heads into later ones'];
  if (Math.max(writers.length, readers.length) > MATRIX_LIMIT) {
    const bars = answer.terms.map((one) => ({ name: one.name, value: Math.max(one.q ?? 0, one.k ?? 0, one.v ?? 0) }));
    return barsFigure({ id, title, axis: 'largest of the q, k and v composition scores', bars });
  }
  const maps = SLOTS.map((slot): Heatmap => ({
    id: `composition-${slot}`,
    title: `${TITLES[slot]}${randomly(slot, answer)}`,
    down: 'writes',
    along: 'reads',
    shade: 'composition score',
    rows: writers,
    columns: readers,
    value: (row, column) => term(writers[row]!, readers[column]!)?.[slot] ?? null,
    name: (row, column) => `${writers[row]}->${readers[column]}`,
  }));
  return heatmapsFigure(id, title, maps);
}

function randomly(slot: CompositionSlot, { baseline }: Answer): string {
  const random = baseline?.[slot];
  return random ? ` (random ${random.mean.toFixed(3)} ± ${random.deviation.toFixed(3)})` : '';
}
