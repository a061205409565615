import type { Answer, Term, View } from '../engine/index.ts';
import { formatCount, formatSigned, formatValue } from './numbers.ts';

/** How the terms of an answer are laid out: the table that people see and the file that they download. */

export type Cell = number | string | null | undefined;

export interface Column<Row = Term> {
  key: string;
  title: string;
  /** null for names and plain counts */
  unit: string | null;
  /** how a number is written for a person; text is shown as it is */
  format?: (value: number) => string;
  read: (row: Row) => Cell;
}

/** A number of its own in a term, as opposed to a list or a matrix. */
type Field = Exclude<keyof Term, 'name' | 'values' | 'takeover' | 'pattern' | 'byToken' | 'activations' | 'open'>;

const LOGITS = 'logits';
const NATS = 'nats';

interface Look {
  title: string;
  unit: string | null;
  format?: (value: number) => string;
}

/** In the order in which they stand beside each other. */
const LOOKS: Record<Field, Look> = {
  parent: { title: 'part of', unit: null },
  fromText: { title: 'from token', unit: null },
  toText: { title: 'to token', unit: null },
  text: { title: 'token', unit: null },
  degree: { title: 'degree', unit: null, format: String },
  value: { title: 'value', unit: LOGITS, format: formatSigned },
  spread: { title: 'standard deviation', unit: LOGITS, format: formatValue },
  logit: { title: 'logit', unit: LOGITS, format: formatValue },
  probability: { title: 'probability', unit: null, format: formatValue },
  norm: { title: 'norm of this degree’s sum', unit: 'stream', format: formatValue },
  relativeError: { title: 'relative error up to it', unit: '‖error‖/‖stream‖', format: formatValue },
  n50: { title: 'paths with 50%', unit: 'paths', format: formatCount },
  n90: { title: 'paths with 90%', unit: 'paths', format: formatCount },
  n99: { title: 'paths with 99%', unit: 'paths', format: formatCount },
  effective: { title: 'effective number', unit: 'paths', format: formatValue },
  mass: { title: 'Σ|value|', unit: LOGITS, format: formatValue },
  count: { title: 'all', unit: 'paths', format: formatCount },
  real: { title: 'real effect', unit: LOGITS, format: formatSigned },
  frozen: { title: 'frozen effect', unit: LOGITS, format: formatSigned },
  compensation: { title: 'compensation', unit: 'share', format: formatSigned },
  lossModel: { title: 'loss of the model', unit: NATS, format: formatValue },
  lossRandom: { title: 'loss of the donor', unit: NATS, format: formatValue },
  lossScrubbed: { title: 'loss scrubbed', unit: NATS, format: formatValue },
  previous: { title: 'previous token', unit: 'attention', format: formatValue },
  duplicate: { title: 'duplicate token', unit: 'attention', format: formatValue },
  induction: { title: 'induction', unit: 'attention', format: formatValue },
  q: { title: 'into the query', unit: 'composition', format: formatValue },
  k: { title: 'into the key', unit: 'composition', format: formatValue },
  v: { title: 'into the value', unit: 'composition', format: formatValue },
  activation: { title: 'largest activation', unit: null, format: formatValue },
  weight: { title: 'weight whatever the prompt', unit: null, format: formatSigned },
};

const NAMES: Partial<Record<View, string>> = {
  flow: 'edge',
  units: 'unit',
  concentration: 'granularity',
  interactions: 'set of blocks',
  heads: 'head',
  'virtual-head': 'query<-key',
  'naive-expansion': 'degree',
  orders: 'up to degree',
  attribution: 'edge',
  'edge-patch': 'edge',
  ablate: 'node',
  repair: 'node',
  scrub: 'example',
  composition: 'pair of heads',
  circuits: 'entry',
  features: 'feature or node',
  'feature-edges': 'edge',
  'feature-ablate': 'feature',
  'feature-tokens': 'feature -> token',
};

/** What `value` is, where it is no part of the metric. */
const VALUES: Partial<Record<View, Look>> = {
  orders: { title: 'loss', unit: NATS, format: formatValue },
  'edge-patch': { title: 'metric after it', unit: LOGITS, format: formatValue },
  ablate: { title: 'metric after it', unit: LOGITS, format: formatValue },
  'path-effect': { title: 'effect', unit: LOGITS, format: formatSigned },
  'virtual-head': { title: 'A₂A₁', unit: 'attention', format: formatValue },
  scrub: { title: 'loss recovered', unit: 'share', format: formatValue },
  circuits: { title: 'entry', unit: 'weights', format: formatSigned },
  'feature-ablate': { title: 'metric after it', unit: LOGITS, format: formatValue },
  'feature-tokens': { title: 'logit per unit', unit: 'weights', format: formatSigned },
};

/** Views whose value is the metric after a change, so that the change itself is worth a column. */
const AFTER_CHANGE: readonly View[] = ['edge-patch', 'ablate', 'feature-ablate'];

/** So many changes still stand as they were asked for. */
const FEW = 20;

/** Views whose terms are read largest first; the others have an order of their own. */
const RANKED: readonly View[] = ['flow', 'units', 'virtual-head', 'interactions', 'attribution', 'circuits', 'direct'];

/** What `value` of a view is called and measured in. */
function valueLook(view: View): Look {
  return VALUES[view] ?? LOOKS.value;
}

/** The column by whose size the terms are sorted at first; null = as they come. */
export function rankedBy({ view, terms }: Answer): string | null {
  if (AFTER_CHANGE.includes(view)) return terms.length > FEW ? 'change' : null;
  return RANKED.includes(view) ? 'value' : null;
}

/** How much the metric changed; null for answers about no prompt. */
export function changeOf(term: Term, { metric }: Answer): number | null {
  return metric === null || term.value === undefined ? null : term.value - metric;
}

/** The columns that the terms of an answer fill. */
export function columnsOf(answer: Answer): Column[] {
  const { view, terms } = answer;
  const name: Column = { key: 'name', title: NAMES[view] ?? 'name', unit: null, read: (term) => term.name };
  const named = terms.every((term) => String(term.degree) === term.name);
  const fields = (Object.keys(LOOKS) as Field[]).filter(
    (field) => terms.some((term) => term[field] !== undefined) && !(field === 'degree' && named),
  );
  return [
    name,
    ...fields.flatMap((field): Column[] => {
      const column = { key: field, ...lookOf(field, answer), read: (term: Term) => term[field] };
      return field === 'value' && AFTER_CHANGE.includes(view) ? [column, changeColumn(answer)] : [column];
    }),
  ];
}

function lookOf(field: Field, answer: Answer): Look {
  if (field === 'value') return valueLook(answer.view);
  return field === 'spread' ? { ...LOOKS.spread, unit: principalLook(answer).unit } : LOOKS[field];
}

/** The number of which `values` and `spread` are, over a prompt set. */
export function principalLook({ view, settings }: Answer): Look {
  const field = settings?.['values'];
  return typeof field === 'string' && field in LOOKS ? LOOKS[field as Field] : valueLook(view);
}

function changeColumn(answer: Answer): Column {
  return { key: 'change', title: 'change', unit: LOGITS, format: formatSigned, read: (term) => changeOf(term, answer) };
}

/** How a cell is shown to a person. */
export function cellText<Row>(column: Column<Row>, row: Row): string {
  const cell = column.read(row);
  if (cell === null || cell === undefined) return '–';
  if (typeof cell === 'string') return cell;
  return column.format ? column.format(cell) : String(cell);
}

/** A cell at full precision. */
export function exactText(cell: Cell): string {
  return cell === null || cell === undefined ? '' : String(cell);
}

export interface Defect {
  name: string;
  /** null for a block that is constant, as is `frozenScale` */
  live: number | null;
  frozenScale: number | null;
}

export const DEFECT_COLUMNS: Column<Defect>[] = [
  { key: 'name', title: 'block', unit: null, read: (defect) => defect.name },
  { key: 'live', title: 'as it is', unit: 'share', format: formatValue, read: (defect) => defect.live },
  { key: 'frozenScale', title: 'norm scale held', unit: 'share', format: formatValue, read: (defect) => defect.frozenScale },
];

export interface Takeover {
  ablated: string;
  name: string;
  before: number;
  after: number;
}

export function takeoversOf({ terms }: Answer): Takeover[] {
  return terms.flatMap((term) =>
    (term.takeover ?? []).map(({ name, clean, ablated }) => ({ ablated: term.name, name, before: clean, after: ablated })),
  );
}

export const TAKEOVER_COLUMNS: Column<Takeover>[] = [
  { key: 'name', title: 'path', unit: null, read: (row) => row.name },
  { key: 'ablated', title: 'without', unit: null, read: (row) => row.ablated },
  { key: 'before', title: 'in the clean run', unit: LOGITS, format: formatSigned, read: (row) => row.before },
  { key: 'after', title: 'in the ablated run', unit: LOGITS, format: formatSigned, read: (row) => row.after },
  { key: 'change', title: 'change', unit: LOGITS, format: formatSigned, read: (row) => row.after - row.before },
];

type Example = NonNullable<Answer['examples']>[number] & { index: number };

export function examplesOf({ examples = [] }: Answer): Example[] {
  return examples.map((example, index) => ({ ...example, index }));
}

const EXAMPLE_COLUMNS: Column<Example>[] = [
  { key: 'tokens', title: 'prompt', unit: null, read: (row) => row.tokenTexts?.join('') ?? row.tokens.join(' ') },
  { key: 'index', title: 'number', unit: null, format: (value) => String(value + 1), read: (row) => row.index },
  { key: 'target', title: 'target', unit: 'id', format: String, read: (row) => row.target },
  { key: 'foil', title: 'foil', unit: 'id', format: String, read: (row) => row.foil },
  { key: 'metric', title: 'metric', unit: LOGITS, format: formatValue, read: (row) => row.metric },
  { key: 'counterfactual', title: 'on the counterfactual', unit: LOGITS, format: formatValue, read: (row) => row.counterfactualMetric },
  { key: 'error', title: 'error', unit: LOGITS, format: formatValue, read: (row) => row.error },
  { key: 'donor', title: 'donor', unit: 'number', format: (value) => String(value + 1), read: (row) => row.donor },
];

/** The columns that the examples of an answer fill. */
export function exampleColumns(rows: readonly Example[]): Column<Example>[] {
  return EXAMPLE_COLUMNS.filter((column) => rows.some((row) => column.read(row) !== undefined));
}
