import type { Answer } from '../engine/index.ts';
import type { Column } from './columns.ts';
import { heatmapFigure, heatmapsFigure, type Heatmap } from './heatmap.ts';
import { formatValue, visibleToken } from './numbers.ts';

export const SCORES = ['previous', 'duplicate', 'induction'] as const;
export type Score = (typeof SCORES)[number];

const TITLES: Record<Score, string> = {
  previous: 'Attention to the previous token',
  duplicate: 'Attention to earlier copies of the token',
  induction: 'Attention to what followed earlier copies',
};

const HEAD = /^a(\d+)\.h(\d+)$/;

export interface HeadTable {
  layers: number;
  heads: number;
  /** null where the prompt has nothing to score */
  score: (score: Score, layer: number, head: number) => number | null;
}

/** The scores of a `heads` answer by layer and head. */
export function headTable({ terms }: Answer): HeadTable {
  let [layers, heads] = [0, 0];
  const at = new Map<string, (typeof terms)[number]>();
  for (const term of terms) {
    const place = headPlace(term.name);
    if (!place) continue;
    layers = Math.max(layers, place.layer + 1);
    heads = Math.max(heads, place.head + 1);
    at.set(term.name, term);
  }
  return { layers, heads, score: (score, layer, head) => at.get(headName(layer, head))?.[score] ?? null };
}

export const headName = (layer: number, head: number) => `a${layer}.h${head}`;

export function headPlace(name: string): { layer: number; head: number } | null {
  const match = HEAD.exec(name);
  return match ? { layer: Number(match[1]), head: Number(match[2]) } : null;
}

/** Layer by head, one map for each score that the prompt has. */
export function headScoresFigure(answer: Answer): string {
  const table = headTable(answer);
  const maps = SCORES.flatMap((score): Heatmap[] => {
    const map: Heatmap = {
      id: `heads-${score}`,
      title: TITLES[score],
      down: 'layer',
      along: 'head',
      shade: 'attention, mean over queries',
      rows: Array.from({ length: table.layers }, (_, layer) => String(layer)),
      columns: Array.from({ length: table.heads }, (_, head) => String(head)),
      value: (layer, head) => table.score(score, layer, head),
      name: headName,
    };
    return answer.terms.some((term) => typeof term[score] === 'number') ? [map] : [];
  });
  return heatmapsFigure('heads-figure', 'Attention scores of every head', maps);
}

/** A square matrix, rows queries. */
export interface Weights {
  length: number;
  weights: Float32Array;
}

export interface PatternRow {
  query: number;
  queryText: string;
  key: number;
  keyText: string;
  weight: number;
}

export const PATTERN_COLUMNS: Column<PatternRow>[] = [
  { key: 'query', title: 'query', unit: null, read: (row) => row.query },
  { key: 'queryText', title: 'query token', unit: null, read: (row) => row.queryText },
  { key: 'key', title: 'key', unit: null, read: (row) => row.key },
  { key: 'keyText', title: 'key token', unit: null, read: (row) => row.keyText },
  { key: 'weight', title: 'weight', unit: 'attention', format: formatValue, read: (row) => row.weight },
];

/** A pattern as a table: what each query attends to, causal entries alone. */
export function patternRows({ length, weights }: Weights, texts: readonly string[]): PatternRow[] {
  const rows: PatternRow[] = [];
  for (let query = 0; query < length; query++) {
    for (let key = 0; key <= query; key++) {
      rows.push({ query, queryText: texts[query] ?? '', key, keyText: texts[key] ?? '', weight: weights[query * length + key]! });
    }
  }
  return rows;
}

export function patternFigure(name: string, title: string, { length, weights }: Weights, texts: readonly string[]): string {
  const names = Array.from({ length }, (_, index) => `${index} ${visibleToken(texts[index] ?? '')}`.trim());
  return heatmapFigure({
    id: `pattern-${name.replace(/[^a-z0-9]+/g, '-')}`,
    title,
    down: 'query',
    along: 'key',
    shade: 'attention',
    rows: names,
    columns: names,
    value: (query, key) => (key > query ? null : weights[query * length + key]!),
    name: (query, key) => `${name}@${query}<-${key}`,
  });
}
