import { expect, it } from 'vitest';
import type { Column } from './columns.ts';
import { nextSorting, sortRows, type Sorting } from './sorting.ts';

interface Row {
  name: string;
  value: number | null;
}

const columns: Column<Row>[] = [
  { key: 'name', title: 'name', unit: null, read: (row) => row.name },
  { key: 'value', title: 'value', unit: null, read: (row) => row.value },
];
const rows: Row[] = [
  { name: 'a10', value: -3 },
  { name: 'a2', value: null },
  { name: 'a1', value: 2 },
];
const names = (sorting: Sorting | null) => sortRows(rows, columns, sorting).map(({ name }) => name);

it('sorts by size, upwards, downwards, or not at all; what is missing goes last', () => {
  expect(names({ key: 'value', order: 'largest' })).toEqual(['a10', 'a1', 'a2']);
  expect(names({ key: 'value', order: 'descending' })).toEqual(['a1', 'a10', 'a2']);
  expect(names({ key: 'value', order: 'ascending' })).toEqual(['a10', 'a1', 'a2']);
  expect(names(null)).toEqual(['a10', 'a2', 'a1']);
});

it('sorts names with their numbers as numbers', () => {
  expect(names({ key: 'name', order: 'ascending' })).toEqual(['a1', 'a2', 'a10']);
});

it('goes through the orders that a column can have, then back to none', () => {
  const orders = (column: Column<Row>) => {
    const seen: (string | null)[] = [];
    let sorting: Sorting | null = null;
    do {
      sorting = nextSorting(column, rows, sorting);
      seen.push(sorting?.order ?? null);
    } while (sorting);
    return seen;
  };
  expect(orders(columns[1]!)).toEqual(['largest', 'descending', 'ascending', null]);
  expect(orders(columns[0]!)).toEqual(['ascending', 'descending', null]);
});
