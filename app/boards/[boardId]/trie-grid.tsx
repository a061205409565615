'use client';
import { useCallback, useEffect, useMemo, useState, type KeyboardEvent, type RefObject } from 'react';
import { placeOf, type TrieRow } from '@/lib/trie-rows.ts';
import type { Partition } from '@/lib/trie.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { COLUMNS, FoldRow, PathRow, TotalRows, type RowMarks } from './trie-row.tsx';
import { useRowWindow } from './use-row-window.ts';
import type { Unravel } from './use-unravel.ts';

export interface TrieGridProps {
  /** takes the focus of the keyboard */
  gridRef: RefObject<HTMLDivElement | null>;
  unravel: Unravel;
  metric: number;
  partition: Partition;
  selection: string | null;
  onSelect: (path: string) => void;
  marksOf: (path: string) => RowMarks;
  /** L and C on a row: to the label field, to the comment field */
  onLabel: () => void;
  onComment: () => void;
  onCopy: (row: TrieRow) => void;
}

const ROW_HEIGHT = 28;
/** The row of column names, which stays in place above the others, and the two of totals below them. */
const HEAD_HEIGHT = 28;
const FOOT_HEIGHT = 2 * 24 + 1;
const PAGE = 12;

function keyOf(row: TrieRow): string {
  return row.kind === 'path' ? row.node.name : `fold ${row.parent.name}`;
}

export function TrieGrid({ gridRef, unravel, metric, partition, selection, onSelect, marksOf, ...actions }: TrieGridProps) {
  const { trie, rows, pending, toggle, unfold } = unravel;
  const [activeFold, setActiveFold] = useState<string | null>(null);
  const active = useMemo(() => {
    const fold = activeFold === null ? -1 : rows.findIndex((row) => row.kind === 'fold' && keyOf(row) === activeFold);
    return fold >= 0 || selection === null ? fold : placeOf(rows, trie?.get(selection) ?? null);
  }, [rows, trie, activeFold, selection]);
  const scale = useMemo(() => largestOf(rows), [rows]);
  const { from, to } = useRowWindow(gridRef, rows.length, ROW_HEIGHT);
  const { links } = useBoard();

  useEffect(() => {
    if (gridRef.current && active >= 0) showRow(gridRef.current, active);
  }, [active, gridRef]);

  const select = useCallback(
    (name: string) => {
      setActiveFold(null);
      onSelect(name);
    },
    [onSelect],
  );

  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row?.kind === 'fold') setActiveFold(keyOf(row));
    else if (row) select(row.node.name);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[active];
    if (isCopy(event) && row) {
      event.preventDefault();
      actions.onCopy(row);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = rowKeys(event.key, row, active, rows, { moveTo, toggle, unfold, ...actions });
    if (act) event.preventDefault();
  };

  return (
    <div
      ref={gridRef}
      role="treegrid"
      aria-label={strings.unravel.grid}
      aria-rowcount={rows.length + 3}
      aria-activedescendant={active >= from && active < to ? `row-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={() => active < 0 && moveTo(0)}
      onPointerMove={(event) => links.hover(pathUnder(event.target))}
      onPointerLeave={() => links.hover(null)}
      className="group min-h-48 flex-1 overflow-auto outline-none"
    >
      <GridHead />
      <div role="rowgroup" style={{ height: rows.length * ROW_HEIGHT, position: 'relative' }}>
        {rows.slice(from, to).map((row, offset) => {
          const index = from + offset;
          // Elements stay and take the next row that scrolls in: that is half the work of making new ones.
          const slot = index % (to - from);
          const place = { index, top: index * ROW_HEIGHT, height: ROW_HEIGHT, active: index === active, scale, metric };
          return row.kind === 'fold' ? (
            <FoldRow key={`fold ${slot}`} row={row} {...place} onOpen={row.why === 'small' ? unfold : null} />
          ) : (
            <PathRow
              key={slot}
              row={row}
              {...place}
              marks={marksOf(row.node.name)}
              selected={row.node.name === selection}
              pending={pending.has(row.node.name)}
              onSelect={select}
              onToggle={toggle}
            />
          );
        })}
      </div>
      <TotalRows partition={partition} scale={scale} metric={metric} index={rows.length + 2} />
    </div>
  );
}

function GridHead() {
  const { columns } = strings.unravel;
  return (
    <div role="rowgroup" className="sticky top-0 z-10 bg-paper">
      <div
        role="row"
        aria-rowindex={1}
        className={`grid ${COLUMNS} items-center gap-x-2 border-b border-line px-3 text-2xs text-soft`}
        style={{ height: HEAD_HEIGHT }}
      >
        <span role="columnheader">{columns.path}</span>
        <span role="columnheader" className="hidden text-center sm:block">
          {columns.bar}
        </span>
        <span role="columnheader" className="text-right">
          {columns.value}
        </span>
        <span role="columnheader" className="text-right">
          {columns.share}
        </span>
        <span role="columnheader" className="hidden text-right sm:block">
          <span aria-hidden="true">✎</span>
          <span className="sr-only">{columns.comments}</span>
        </span>
        <span role="columnheader" className="hidden sm:block">
          {columns.people}
        </span>
      </div>
    </div>
  );
}

/** The path of the row that an event happened in. */
function pathUnder(target: EventTarget): string | null {
  return target instanceof Element ? (target.closest('[data-path]')?.getAttribute('data-path') ?? null) : null;
}

function largestOf(rows: readonly TrieRow[]): number {
  let most = 0;
  for (const row of rows) most = Math.max(most, Math.abs(row.kind === 'path' ? row.node.value : row.value));
  return most;
}

/** Scrolls by as little as shows the row between head and foot. */
function showRow(grid: HTMLElement, index: number): void {
  const top = index * ROW_HEIGHT;
  const room = grid.clientHeight - HEAD_HEIGHT - FOOT_HEIGHT;
  grid.scrollTop = Math.min(top, Math.max(grid.scrollTop, top + ROW_HEIGHT - room));
}

/** Ctrl C with no text marked. */
function isCopy({ key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return key === 'c' && (ctrlKey || metaKey) && String(getSelection()) === '';
}

interface KeyActions {
  moveTo: (index: number) => void;
  toggle: (name: string) => void;
  unfold: (parent: string) => void;
  onLabel: () => void;
  onComment: () => void;
}

/** What a key does on a row; false when it is none of ours. */
function rowKeys(
  key: string,
  row: TrieRow | undefined,
  at: number,
  rows: readonly TrieRow[],
  { moveTo, toggle, unfold, onLabel, onComment }: KeyActions,
): boolean {
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: rows.length - 1,
    PageDown: at + PAGE,
    PageUp: at - PAGE,
  };
  const step = steps[key];
  if (step !== undefined) {
    moveTo(step);
    return true;
  }
  if (!row) return false;
  if (key === 'Enter' || key === ' ') {
    if (row.kind === 'path') toggle(row.node.name);
    else if (row.why === 'small') unfold(row.parent.name);
    return true;
  }
  if (key === 'ArrowRight') {
    if (row.kind === 'path' && row.expanded) moveTo(at + 1);
    else if (row.kind === 'path') toggle(row.node.name);
    else if (row.why === 'small') unfold(row.parent.name);
    return true;
  }
  if (key === 'ArrowLeft') {
    if (row.kind === 'path' && row.expanded) toggle(row.node.name);
    else moveTo(aboveOf(rows, at));
    return true;
  }
  if (row.kind === 'path' && (key === 'l' || key === 'L')) {
    onLabel();
    return true;
  }
  if (row.kind === 'path' && (key === 'c' || key === 'C')) {
    onComment();
    return true;
  }
  return false;
}

/** The row that a row belongs to: the last one before it that is less deep. */
function aboveOf(rows: readonly TrieRow[], at: number): number {
  let above = at;
  while (above > 0 && rows[above]!.level >= rows[at]!.level) above--;
  return above;
}
