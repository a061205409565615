import type { Answer, Term } from '../engine/index.ts';
import { columnsOf, exactText, principalLook, type Cell, type Column } from './columns.ts';

/** Lists and matrices of a term, each in one cell as JSON. */
const NESTED = ['byToken', 'activations', 'takeover', 'pattern'] as const satisfies readonly (keyof Term)[];

/** All fields of all terms at full precision, with names and units in the first line (RFC 4180). */
export function csvOf(answer: Answer): string {
  const { terms } = answer;
  const columns = columnsOf(answer);
  const examples = terms.reduce((most, term) => Math.max(most, term.values?.length ?? 0), 0);
  const principal = principalLook(answer);
  const nested = NESTED.filter((field) => terms.some((term) => term[field] !== undefined));
  const head = [
    ...columns.map(({ title, unit }) => withUnit(title, unit)),
    ...Array.from({ length: examples }, (_, index) => withUnit(`${principal.title}, example ${index + 1}`, principal.unit)),
    ...nested,
  ];
  const rowOf = (term: Term): Cell[] => [
    ...columns.map((column) => column.read(term)),
    ...Array.from({ length: examples }, (_, index) => term.values?.[index]),
    ...nested.map((field) => (term[field] === undefined ? undefined : JSON.stringify(term[field]))),
  ];
  return linesOf([head, ...terms.map(rowOf)]);
}

/** As {@link csvOf}, of rows that are no terms. */
export function tableCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const head = columns.map(({ title, unit }) => withUnit(title, unit));
  return linesOf([head, ...rows.map((row) => columns.map((column) => column.read(row)))]);
}

/** Columns and rows for a spreadsheet to paste: tabs between cells, numbers at full precision. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const head = columns.map(({ title, unit }) => withUnit(title, unit));
  return [head, ...rows.map((row) => columns.map((column) => exactText(column.read(row))))].map((cells) => cells.join('\t')).join('\n');
}

/** Says which model and which view; a file's name without its ending. */
export function fileStem({ model, view }: Answer): string {
  return `pathboard-${model.name.replace(/[^A-Za-z0-9._-]+/g, '-')}-${view}`;
}

function withUnit(title: string, unit: string | null): string {
  return unit === null ? title : `${title} (${unit})`;
}

function linesOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((cells) => `${cells.map((cell) => quoted(exactText(cell))).join(',')}\r\n`).join('');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
