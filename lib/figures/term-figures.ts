import type { Answer, Term, View } from '../engine/index.ts';
import { barsFigure } from './bars.ts';
import { changeOf } from './columns.ts';
import { heatmapFigure } from './heatmap.ts';
import { visibleToken } from './numbers.ts';
import { seriesFigure } from './series.ts';

/** A chart of an answer as an SVG document. */
export interface Figure {
  id: string;
  title: string;
  svg: string;
}

type Draw = (answer: Answer) => Figure[];

const metricUnit = ({ foil }: Answer) => (foil === null ? 'logit (logits)' : 'logit difference (logits)');

function bars(id: string, title: string, axis: string, terms: readonly Term[], read: (term: Term) => number | null | undefined): Figure[] {
  const drawn = terms.flatMap((term) => {
    const value = read(term);
    return value === null || value === undefined ? [] : [{ name: term.name, value }];
  });
  return drawn.length === 0 ? [] : [{ id, title, svg: barsFigure({ id, title, axis, bars: drawn }) }];
}

const values =
  (title: string): Draw =>
  (answer) =>
    bars(`${answer.view}-figure`, title, metricUnit(answer), answer.terms, (term) => term.value);

const changes =
  (title: string): Draw =>
  (answer) =>
    bars(`${answer.view}-figure`, title, `change of the metric, ${metricUnit(answer)}`, answer.terms, (term) => changeOf(term, answer));

function byDegree(id: string, title: string, axis: string, answer: Answer, read: (term: Term) => number | undefined): Figure[] {
  const points = answer.terms
    .toSorted((left, right) => (left.degree ?? 0) - (right.degree ?? 0))
    .map((term) => ({ label: String(term.degree ?? term.name), value: read(term) ?? null }));
  if (points.every(({ value }) => value === null)) return [];
  return [{ id, title, svg: seriesFigure({ id, title, along: 'degree', axis, points, joined: true }) }];
}

const orders: Draw = (answer) =>
  byDegree('orders-figure', 'Loss when only paths up to a degree count', 'loss (nats)', answer, (term) => term.value);

const naiveExpansion: Draw = (answer) => [
  ...byDegree('naive-error', 'Error of the sum up to a degree', 'relative error', answer, (term) => term.relativeError),
  ...byDegree('naive-norm', 'Size of the sum of each degree', 'norm', answer, (term) => term.norm),
];

/** One dot an example; lines where nothing is recovered, where all is, and at the mean. */
const scrub: Draw = ({ terms }) => {
  const mean = terms.find(({ name }) => name === 'mean')?.value;
  const points = terms.filter(({ name }) => name !== 'mean').map(({ name, value = null }) => ({ label: name, value }));
  if (points.every(({ value }) => value === null)) return [];
  const [id, title] = ['scrub-figure', 'Loss recovered in each example'];
  const marks = mean === undefined ? [] : [{ label: 'mean', value: mean }];
  return [
    {
      id,
      title,
      svg: seriesFigure({ id, title, along: 'example', axis: 'loss recovered (share)', points, joined: false, marks }),
    },
  ];
};

const HEAD = /^a(\d+)\.h(\d+)$/;
const SCORES = [
  ['previous', 'Attention to the previous token'],
  ['duplicate', 'Attention to earlier copies of the token'],
  ['induction', 'Attention to what followed earlier copies'],
] as const;

const heads: Draw = (answer) => {
  const placed = answer.terms.flatMap((term) => {
    const match = HEAD.exec(term.name);
    return match ? [{ layer: Number(match[1]), head: Number(match[2]), term }] : [];
  });
  const at = new Map(placed.map(({ layer, head, term }) => [`${layer}.${head}`, term]));
  const [rows, columns] = [listed(placed, 'layer'), listed(placed, 'head')];
  const maps = SCORES.filter(([score]) => placed.some(({ term }) => typeof term[score] === 'number')).map(([score, title]): Figure => {
    const id = `heads-${score}`;
    const svg = heatmapFigure({
      id,
      title,
      down: 'layer',
      along: 'head',
      shade: 'attention, mean over queries',
      rows: rows.map(String),
      columns: columns.map(String),
      value: (row, column) => at.get(`${rows[row]}.${columns[column]}`)?.[score] ?? null,
      name: (row, column) => `a${rows[row]}.h${columns[column]}`,
    });
    return { id, title, svg };
  });
  return [...maps, ...answer.terms.flatMap((term) => pattern(term, answer))];
};

function listed<K extends 'layer' | 'head'>(placed: readonly Record<K, number>[], key: K): number[] {
  return [...new Set(placed.map((one) => one[key]))].sort((left, right) => left - right);
}

/** More queries than this would be too fine to see. */
export const PATTERN_LIMIT = 96;

function pattern({ name, pattern: weights }: Term, { tokens, tokenTexts, examples }: Answer): Figure[] {
  if (!weights || weights.length === 0 || weights.length > PATTERN_LIMIT) return [];
  const id = `pattern-${name.replace(/[^a-z0-9]/g, '-')}`;
  const title = `Attention pattern of ${name}`;
  const text = (index: number) => `${index} ${examples ? '' : visibleToken(tokenTexts?.[index] ?? String(tokens[index] ?? ''))}`.trim();
  const names = weights.map((_, index) => text(index));
  const value = (row: number, column: number) => (column > row ? null : (weights[row]?.[column] ?? null));
  const cell = (row: number, column: number) => `${name}@${row}<-${column}`;
  const map = { id, title, down: 'query', along: 'key', shade: 'attention', rows: names, columns: names, value, name: cell };
  return [{ id, title, svg: heatmapFigure(map) }];
}

const ENTRY = /^(\d+)<-(\d+)$/;

/** The pattern of two heads read as one. */
const virtualHead: Draw = (answer) => {
  const weights: number[][] = [];
  for (const { name, value } of answer.terms) {
    const match = ENTRY.exec(name);
    if (match) (weights[Number(match[1])] ??= [])[Number(match[2])] = value ?? 0;
  }
  const filled = Array.from(weights, (row) => row ?? []);
  return pattern({ name: 'virtual head', pattern: filled }, answer);
};

const SLOTS = [
  ['q', 'Composition into the query'],
  ['k', 'Composition into the key'],
  ['v', 'Composition into the value'],
] as const;
/** With more heads than this to a side, the largest pairs say more than the matrix. */
const MATRIX_LIMIT = 48;

const composition: Draw = ({ terms }) => {
  const pairs = terms.flatMap((term) => {
    const [from, to] = term.name.split('->');
    return from && to ? [{ from, to, term }] : [];
  });
  const at = new Map(pairs.map(({ from, to, term }) => [`${from}->${to}`, term]));
  const rows = [...new Set(pairs.map(({ from }) => from))];
  const columns = [...new Set(pairs.map(({ to }) => to))];
  return SLOTS.flatMap(([slot, title]): Figure[] => {
    const id = `composition-${slot}`;
    if (Math.max(rows.length, columns.length) > MATRIX_LIMIT) return bars(id, title, 'composition score', terms, (term) => term[slot]);
    const name = (row: number, column: number) => `${rows[row]}->${columns[column]}`;
    const value = (row: number, column: number) => at.get(name(row, column))?.[slot] ?? null;
    const map = { id, title, down: 'writes', along: 'reads', shade: 'composition score', rows, columns, value, name };
    return [{ id, title, svg: heatmapFigure(map) }];
  });
};

const DRAW: Partial<Record<View, Draw>> = {
  flow: values('Flow through edges'),
  units: values('Parts of the path’s value'),
  'virtual-head': virtualHead,
  interactions: values('Möbius terms'),
  attribution: values('Attribution of edges'),
  'edge-patch': changes('What each patch changes'),
  ablate: changes('What each ablation changes'),
  'feature-ablate': changes('What each feature changes'),
  orders,
  'naive-expansion': naiveExpansion,
  scrub,
  heads,
  composition,
};

/** The charts of an answer; none where its table says it all. */
export function figuresOf(answer: Answer): Figure[] {
  return DRAW[answer.view]?.(answer) ?? [];
}
