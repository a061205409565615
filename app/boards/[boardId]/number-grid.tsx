'use client';
import { useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { cellText, exactText, type Column } from '@/lib/figures/columns.ts';
import { formatCount } from '@/lib/figures/numbers.ts';
import { nextSorting, sortRows, type Sorting } from '@/lib/figures/sorting.ts';
import { strings } from '@/app/ui/strings.ts';
import { NumberRow } from './number-row.tsx';

interface NumberGridProps<Row> {
  label: string;
  /** the first one holds the names */
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  sorted?: Sorting | null;
  onSorted?: (sorting: Sorting) => void;
  /** rows in sight at once */
  most?: number;
  /** shows what a row's name is the name of; null for names of nothing that can be shown */
  onSelect: (name: string) => (() => void) | null;
}

const ROW_HEIGHT = 26;
const HEAD_HEIGHT = 40;
const MOST_ROWS = 18;
/** Room for a scroll bar, so that it hides no row. */
const FOOT = 18;
const PAGE = 12;
const WIDTH = { name: 10, word: 7, number: 6.25 };

/** A table that sorts, of as many rows as there are: only those in sight are drawn. */
export function NumberGrid<Row>({ label, columns, rows, sorted = null, onSorted, most = MOST_ROWS, onSelect }: NumberGridProps<Row>) {
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState(sorted);
  const [filter, setFilter] = useState('');
  const [active, setActive] = useState(-1);
  const shown = useMemo(() => sortRows(named(rows, columns[0]!, filter), columns, sorting), [rows, columns, sorting, filter]);
  const layout = useMemo(() => layoutOf(columns, rows), [columns, rows]);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: HEAD_HEIGHT,
    scrollPaddingStart: HEAD_HEIGHT,
    initialRect: { width: 800, height: 500 },
  });
  const sort = (next: Sorting | null) => {
    setSorting(next);
    if (next) onSorted?.(next);
  };
  const selectOf = (row: Row) => onSelect(exactText(columns[0]!.read(row)));

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current) return;
    const row = shown[active];
    const step = stepOf(event, active, shown.length);
    if (step !== null) {
      setActive(step);
      virtual.scrollToIndex(step, { align: 'auto' });
    } else if (row && event.key === 'Enter') selectOf(row)?.();
    else if (row && isCopy(event)) copy(columns.map((column) => exactText(column.read(row))).join('\t'));
    else return;
    event.preventDefault();
  };

  return (
    <div className="min-w-0">
      <GridTools label={label} all={rows.length} shown={shown.length} filter={filter} sorting={sorting} onFilter={setFilter} />
      <div
        ref={scroller}
        role="grid"
        aria-label={label}
        aria-rowcount={shown.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={active >= 0 && active < shown.length ? `${id}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={(event) => event.target === scroller.current && active < 0 && shown.length > 0 && setActive(0)}
        className="group overflow-auto rounded-[3px] border border-line"
        style={{ height: HEAD_HEIGHT + Math.min(shown.length, most) * ROW_HEIGHT + FOOT }}
      >
        <div style={{ minWidth: layout.width }}>
          <GridHead columns={columns} rows={rows} layout={layout} sorting={sorting} onSort={sort} />
          <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {virtual.getVirtualItems().map(({ index, start }) => (
              <NumberRow
                key={index}
                id={`${id}-${index}`}
                index={index}
                place={{ top: start - HEAD_HEIGHT, height: ROW_HEIGHT, gridTemplateColumns: layout.template }}
                active={index === active}
                cells={cellsOf(shown[index]!, columns, layout)}
                onSelect={selectOf(shown[index]!)}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

function named<Row>(rows: readonly Row[], column: Column<Row>, filter: string): readonly Row[] {
  const words = filter.trim().toLowerCase();
  return words === '' ? rows : rows.filter((row) => exactText(column.read(row)).toLowerCase().includes(words));
}

interface Layout {
  /** which columns hold numbers */
  numbers: readonly boolean[];
  template: string;
  width: string;
}

function layoutOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Layout {
  const numbers = columns.map((column) => rows.some((row) => typeof column.read(row) === 'number'));
  const widths = columns.map((_, index) => (index === 0 ? WIDTH.name : numbers[index] ? WIDTH.number : WIDTH.word));
  return {
    numbers,
    template: widths.map((width, index) => (index === 0 ? `minmax(${width}rem,1fr)` : `${width}rem`)).join(' '),
    width: `${widths.reduce((sum, width) => sum + width + 0.5, 0.5)}rem`,
  };
}

function cellsOf<Row>(row: Row, columns: readonly Column<Row>[], { numbers }: Layout) {
  return columns.map((column, index) => ({
    key: column.key,
    text: cellText(column, row),
    exact: exactText(column.read(row)),
    isNumber: numbers[index]!,
  }));
}

/** Where a key goes; null when it goes nowhere. */
function stepOf({ key, ctrlKey, metaKey, altKey }: KeyboardEvent, at: number, count: number): number | null {
  if (ctrlKey || metaKey || altKey || count === 0) return null;
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: count - 1,
    PageDown: at + PAGE,
    PageUp: at - PAGE,
  };
  const step = steps[key];
  return step === undefined ? null : Math.max(0, Math.min(count - 1, step));
}

/** Ctrl C with no text marked. */
function isCopy({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return key === 'c' && (ctrlKey || metaKey) && String(getSelection()) === '';
}

function copy(text: string): void {
  void navigator.clipboard.writeText(text).catch(() => undefined);
}

interface GridToolsProps {
  label: string;
  all: number;
  shown: number;
  filter: string;
  sorting: Sorting | null;
  onFilter: (filter: string) => void;
}

/** From so many rows on there is a field to search by name. */
const SEARCHED = 12;

function GridTools({ label, all, shown, filter, sorting, onFilter }: GridToolsProps) {
  return (
    <p className="mb-1 flex flex-wrap items-center gap-2 text-xs text-soft">
      {all >= SEARCHED ? (
        <input
          type="search"
          aria-label={`${strings.analyses.filter}: ${label}`}
          placeholder={strings.analyses.filter}
          value={filter}
          onChange={(event) => onFilter(event.target.value)}
          className="field max-w-44 font-mono text-xs"
        />
      ) : null}
      <span role="status">{strings.analyses.rows(formatCount(shown), formatCount(all))}</span>
      {sorting ? <span>{strings.analyses.orders[sorting.order]}</span> : null}
    </p>
  );
}

interface GridHeadProps<Row> {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  layout: Layout;
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
}

const SIGNS = { largest: '▾±', descending: '▾', ascending: '▴' };
const ARIA = { largest: 'other', descending: 'descending', ascending: 'ascending' } as const;

/** Names and units of the columns, which stay in place above the rows. */
function GridHead<Row>({ columns, rows, layout, sorting, onSort }: GridHeadProps<Row>) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 bg-paper">
      <div
        role="row"
        aria-rowindex={1}
        className="grid items-center gap-x-2 border-b border-line px-2 text-2xs text-soft"
        style={{ height: HEAD_HEIGHT, gridTemplateColumns: layout.template }}
      >
        {columns.map((column, index) => {
          const order = sorting?.key === column.key ? sorting.order : null;
          const side = layout.numbers[index] ? 'text-right' : 'text-left';
          return (
            <span key={column.key} role="columnheader" aria-sort={order ? ARIA[order] : 'none'} className={side}>
              <button
                type="button"
                onClick={() => onSort(nextSorting(column, rows, sorting))}
                title={strings.analyses.sortBy(column.title)}
                className={`rounded-[2px] leading-tight hover:text-ink ${side} ${order ? 'font-semibold text-ink' : ''}`}
              >
                {column.title}
                {column.unit === null ? null : <span className="font-normal text-soft"> ({column.unit})</span>}
                {order ? <span aria-hidden="true"> {SIGNS[order]}</span> : null}
              </button>
            </span>
          );
        })}
      </div>
    </div>
  );
}
