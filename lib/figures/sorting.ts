import type { Cell, Column } from './columns.ts';

/** `largest`: by size whatever the sign. */
export const ORDERS = ['largest', 'descending', 'ascending'] as const;
export type Order = (typeof ORDERS)[number];

export interface Sorting {
  key: string;
  order: Order;
}

/** The rows by one column, equal ones as they came; what a column has no value for goes last. */
export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sorting: Sorting | null): readonly Row[] {
  const column = sorting && columns.find(({ key }) => key === sorting.key);
  if (!column) return rows;
  const keyed = rows.map((row) => ({ row, cell: column.read(row) }));
  const sign = sorting.order === 'ascending' ? 1 : -1;
  const size = sorting.order === 'largest' ? sizeOf : same;
  return keyed
    .sort(
      (left, right) => Number(isMissing(left.cell)) - Number(isMissing(right.cell)) || sign * compare(size(left.cell), size(right.cell)),
    )
    .map(({ row }) => row);
}

/** What a click on a column's name does next; after the last order the rows are as they came. */
export function nextSorting<Row>({ key, read }: Column<Row>, rows: readonly Row[], before: Sorting | null): Sorting | null {
  const signed = rows.some((row) => Number(read(row)) < 0);
  const words = rows.some((row) => typeof read(row) === 'string');
  const orders: readonly Order[] = words ? ['ascending', 'descending'] : signed ? ORDERS : ['descending', 'ascending'];
  if (before?.key !== key) return { key, order: orders[0]! };
  const next = orders[orders.indexOf(before.order) + 1];
  return next ? { key, order: next } : null;
}

const isMissing = (cell: Cell) => cell === null || cell === undefined;
const same = (cell: Cell) => cell;
const sizeOf = (cell: Cell) => (typeof cell === 'number' ? Math.abs(cell) : cell);

const WORDS = new Intl.Collator('en', { numeric: true });

function compare(left: Cell, right: Cell): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return WORDS.compare(String(left ?? ''), String(right ?? ''));
}
