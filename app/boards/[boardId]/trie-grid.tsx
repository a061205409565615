'use client';
import { useEffect, useMemo, useState, type KeyboardEvent, type RefObject } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { TrieRow } from '@/lib/trie.ts';
import { strings } from '@/app/ui/strings.ts';
import { COLUMNS, FoldRow, PathRow, type RowMarks } from './trie-row.tsx';
import type { Unravel } from './use-unravel.ts';

export interface TrieGridProps {
  /** takes the focus of the keyboard */
  gridRef: RefObject<HTMLDivElement | null>;
  unravel: Unravel;
  metric: number;
  selection: string | null;
  onSelect: (path: string) => void;
  marksOf: (path: string) => RowMarks;
  /** L and C on a row: to the label field, to the comment field */
  onLabel: () => void;
  onComment: () => void;
}

const ROW_HEIGHT = 28;
/** The row of column names, which stays in place above the others. */
const HEAD_HEIGHT = 28;
const PAGE = 12;

function keyOf(row: TrieRow): string {
  return row.kind === 'path' ? row.node.name : `fold ${row.parent}`;
}

export function TrieGrid({ gridRef, unravel, metric, selection, onSelect, marksOf, onLabel, onComment }: TrieGridProps) {
  const { rows, pending } = unravel;
  const [activeFold, setActiveFold] = useState<string | null>(null);
  const places = useMemo(() => new Map(rows.map((row, index) => [keyOf(row), index])), [rows]);
  const active = places.get(activeFold ?? '') ?? places.get(selection ?? '') ?? -1;
  const scale = useMemo(
    () => rows.reduce((most, row) => Math.max(most, Math.abs(row.kind === 'path' ? row.node.value : row.value)), 0),
    [rows],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => gridRef.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: HEAD_HEIGHT,
    scrollPaddingStart: HEAD_HEIGHT,
    initialRect: { width: 800, height: 600 },
  });

  useEffect(() => {
    if (active >= 0) virtual.scrollToIndex(active, { align: 'auto' });
  }, [active, virtual]);

  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    setActiveFold(row.kind === 'fold' ? keyOf(row) : null);
    if (row.kind === 'path') onSelect(row.node.name);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[active];
    const act = rowKeys(event.key, row, active, rows.length, { moveTo, places, unravel, onLabel, onComment });
    if (act) event.preventDefault();
  };

  return (
    <div
      ref={gridRef}
      role="treegrid"
      aria-label={strings.unravel.grid}
      aria-rowcount={rows.length + 1}
      aria-activedescendant={active >= 0 ? `row-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={() => active < 0 && moveTo(0)}
      className="group min-h-48 flex-1 overflow-auto outline-none"
    >
      <div role="rowgroup" className="sticky top-0 z-10 bg-paper">
        <div
          role="row"
          aria-rowindex={1}
          className={`grid ${COLUMNS} items-center gap-x-2 border-b border-line px-3 text-2xs text-soft`}
          style={{ height: HEAD_HEIGHT }}
        >
          <span role="columnheader">{strings.unravel.columns.path}</span>
          <span role="columnheader" className="hidden text-center sm:block">
            {strings.unravel.columns.bar}
          </span>
          <span role="columnheader" className="text-right">
            {strings.unravel.columns.value}
          </span>
          <span role="columnheader" className="text-right">
            {strings.unravel.columns.share}
          </span>
          <span role="columnheader" className="hidden text-right sm:block">
            <span aria-hidden="true">✎</span>
            <span className="sr-only">{strings.unravel.columns.comments}</span>
          </span>
          <span role="columnheader" className="hidden sm:block">
            {strings.unravel.columns.people}
          </span>
        </div>
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index]!;
          const frame = {
            id: `row-${item.index}`,
            index: item.index,
            top: item.start - HEAD_HEIGHT,
            height: ROW_HEIGHT,
            active: item.index === active,
            scale,
            metric,
          };
          return row.kind === 'fold' ? (
            <FoldRow key={keyOf(row)} row={row} frame={frame} onOpen={() => unravel.unfold(row.parent)} />
          ) : (
            <PathRow
              key={keyOf(row)}
              row={row}
              frame={frame}
              marks={marksOf(row.node.name)}
              selected={row.node.name === selection}
              pending={pending.has(row.node.name)}
              onSelect={() => {
                setActiveFold(null);
                onSelect(row.node.name);
              }}
              onToggle={() => unravel.toggle(row.node.name)}
            />
          );
        })}
      </div>
    </div>
  );
}

interface KeyActions {
  moveTo: (index: number) => void;
  places: Map<string, number>;
  unravel: Unravel;
  onLabel: () => void;
  onComment: () => void;
}

/** What a key does on a row; false when it is none of ours. */
function rowKeys(
  key: string,
  row: TrieRow | undefined,
  at: number,
  count: number,
  { moveTo, places, unravel, onLabel, onComment }: KeyActions,
): boolean {
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: count - 1,
    PageDown: at + PAGE,
    PageUp: at - PAGE,
  };
  const step = steps[key];
  if (step !== undefined) {
    moveTo(step);
    return true;
  }
  if (!row) return false;
  const isPath = row.kind === 'path';
  if (key === 'Enter' || key === ' ') {
    if (isPath) unravel.toggle(row.node.name);
    else unravel.unfold(row.parent);
    return true;
  }
  if (key === 'ArrowRight') {
    if (!isPath) unravel.unfold(row.parent);
    else if (row.expanded) moveTo(at + 1);
    else unravel.toggle(row.node.name);
    return true;
  }
  if (key === 'ArrowLeft') {
    if (isPath && row.expanded) unravel.toggle(row.node.name);
    else moveTo(places.get((isPath ? row.node.parent : row.parent) ?? '') ?? at);
    return true;
  }
  if (isPath && (key === 'l' || key === 'L')) {
    onLabel();
    return true;
  }
  if (isPath && (key === 'c' || key === 'C')) {
    onComment();
    return true;
  }
  return false;
}
