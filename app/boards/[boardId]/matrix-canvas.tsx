'use client';
import { useEffect, useMemo, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { useColours, type Colours } from '@/app/ui/use-colours.ts';

export interface Matrix {
  rows: readonly string[];
  columns: readonly string[];
  /** null = there is none */
  value: (row: number, column: number) => number | null;
}

export interface Cell {
  row: number;
  column: number;
}

interface MatrixCanvasProps {
  /** what it shows, and that arrow keys move over it */
  label: string;
  matrix: Matrix;
  /** what rows and columns are */
  down: string;
  along: string;
  /** of |value|, at full colour; default the matrix's own */
  largest?: number;
  /** shades of the square root, for many small values beside few large ones */
  rooted?: boolean;
  /** the side that it may take, in pixels */
  room?: number;
  /** least and most of a cell's side; at least 1 */
  cell?: { least: number; most: number };
  /** outlined; of a row or a column alone where the other is −1 */
  cursor: Cell | null;
  /** what others point at, by the colour of their outline */
  outlined?: readonly { cell: Cell; colour: string }[];
  onCursor: (cell: Cell | null) => void;
  onPick: (cell: Cell) => void;
}

const CHARACTER = 6.2;
const LONGEST = 12;
/** Names need this much; below it only every so many have one. */
const NAMED = 10;

/** Shares of one colour for positive and one for negative values. Pointer and arrow keys move over its cells. */
export function MatrixCanvas({
  label,
  matrix,
  down,
  along,
  largest,
  rooted = false,
  room = 420,
  cell,
  cursor,
  outlined = [],
  ...on
}: MatrixCanvasProps) {
  const { rows, columns } = matrix;
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = useColours();
  const most = useMemo(() => largest ?? largestOf(matrix), [largest, matrix]);
  const side = sideOf(Math.max(rows.length, columns.length), room, cell);
  const size = { width: side * columns.length, height: side * rows.length };
  const left = Math.ceil(widest(rows) * CHARACTER) + 8;
  const top = Math.ceil(widest(columns) * CHARACTER) + 8;

  useEffect(() => {
    if (canvas.current && colours) draw(canvas.current, matrix, most, rooted, colours);
  }, [matrix, most, rooted, colours]);

  const onPointer = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows.length);
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns.length);
    return row >= 0 && row < rows.length && column >= 0 && column < columns.length ? { row, column } : null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = { row: Math.max(0, cursor?.row ?? 0), column: Math.max(0, cursor?.column ?? 0) };
    if (event.key === 'Enter' || event.key === ' ') on.onPick(at);
    else {
      const to = moved(event.key, at, matrix);
      if (!to) return;
      on.onCursor(to);
    }
    event.preventDefault();
  };

  return (
    <div className="w-max">
      <p className="text-2xs text-soft" style={{ paddingLeft: left }}>
        {along} →
      </p>
      <div className="relative" style={{ paddingLeft: left, paddingTop: top }}>
        <Names names={columns} side={side} across offset={left} length={top - 4} />
        <Names names={rows} side={side} offset={top} length={left - 4} />
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- as a grid of cells it has the keys of one */}
        <div
          role="application"
          aria-label={label}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
          tabIndex={0}
          className="relative"
          style={size}
          onKeyDown={onKeyDown}
          onPointerMove={(event) => on.onCursor(onPointer(event))}
          onPointerLeave={() => on.onCursor(null)}
          onBlur={() => on.onCursor(null)}
          onClick={(event) => {
            const picked = onPointer(event as unknown as PointerEvent);
            if (picked) on.onPick(picked);
          }}
        >
          <canvas ref={canvas} className="block h-full w-full border border-line" style={{ imageRendering: 'pixelated' }} />
          {cursor ? <Outline cell={cursor} side={side} {...size} /> : null}
          {outlined.map((one) => (
            <Outline key={`${one.cell.row} ${one.cell.column}`} cell={one.cell} side={side} {...size} colour={one.colour} />
          ))}
        </div>
      </div>
      <p className="text-2xs text-soft" style={{ paddingLeft: left }}>
        ↑ {down}
      </p>
    </div>
  );
}

function sideOf(count: number, room: number, { least, most } = { least: 1, most: 24 }): number {
  return Math.max(1, least, Math.min(most, Math.floor(room / Math.max(1, count))));
}

function widest(names: readonly string[]): number {
  return names.reduce((most, name) => Math.max(most, Math.min(LONGEST, name.length)), 1);
}

function largestOf({ rows, columns, value }: Matrix): number {
  let most = 0;
  for (let row = 0; row < rows.length; row++) {
    for (let column = 0; column < columns.length; column++) most = Math.max(most, Math.abs(value(row, column) ?? 0));
  }
  return most;
}

/** One pixel a cell, scaled without smoothing, so that a pattern of 512 tokens is drawn as fast as one of 5. */
function draw(canvas: HTMLCanvasElement, { rows, columns, value }: Matrix, most: number, rooted: boolean, colours: Colours): void {
  canvas.width = Math.max(1, columns.length);
  canvas.height = Math.max(1, rows.length);
  const context = canvas.getContext('2d');
  if (!context || rows.length === 0 || columns.length === 0) return;
  const image = context.createImageData(columns.length, rows.length);
  for (let row = 0; row < rows.length; row++) {
    for (let column = 0; column < columns.length; column++) {
      const cell = value(row, column);
      const at = 4 * (row * columns.length + column);
      const share = cell === null || most === 0 ? 0 : Math.min(1, Math.abs(cell) / most);
      const tone = cell === null ? colours.line : cell < 0 ? colours.negative : colours.positive;
      image.data.set([tone[0], tone[1], tone[2], cell === null ? 50 : Math.round(255 * (rooted ? Math.sqrt(share) : share))], at);
    }
  }
  context.putImageData(image, 0, 0);
}

interface OutlineProps {
  cell: Cell;
  side: number;
  width: number;
  height: number;
  colour?: string;
}

/** Of a cell, with the band of its row and its column; of a whole row or column where the other is −1. */
function Outline({ cell: { row, column }, side, width, height, colour }: OutlineProps) {
  const line = colour ? { borderColor: colour, borderWidth: 2 } : {};
  const band = 'pointer-events-none absolute border-ink/40';
  return (
    <span aria-hidden="true">
      {row >= 0 ? <span className={`${band} border-y`} style={{ ...line, left: 0, top: row * side, width, height: side }} /> : null}
      {column >= 0 ? <span className={`${band} border-x`} style={{ ...line, top: 0, left: column * side, height, width: side }} /> : null}
      {row >= 0 && column >= 0 ? (
        <span
          className="pointer-events-none absolute outline-2 outline-ink"
          style={{ left: column * side, top: row * side, width: side, height: side, ...(colour ? { outlineColor: colour } : {}) }}
        />
      ) : null}
    </span>
  );
}

interface NamesProps {
  names: readonly string[];
  side: number;
  across?: boolean;
  /** where the cells start */
  offset: number;
  /** room of a name */
  length: number;
}

function Names({ names, side, across = false, offset, length }: NamesProps) {
  const every = Math.max(1, Math.ceil(NAMED / side));
  return (
    <span aria-hidden="true">
      {names.map((name, index) =>
        index % every === 0 ? (
          <span
            key={index}
            title={name}
            className="absolute truncate text-right font-mono text-[0.625rem] leading-none whitespace-pre text-soft"
            style={
              across
                ? {
                    left: offset + (index + 0.5) * side - 5,
                    top: 0,
                    height: length,
                    writingMode: 'vertical-rl',
                    rotate: '180deg',
                    textAlign: 'left',
                  }
                : { left: 0, top: offset + (index + 0.5) * side - 5, width: length }
            }
          >
            {name}
          </span>
        ) : null,
      )}
    </span>
  );
}

function moved(key: string, { row, column }: Cell, { rows, columns }: Matrix): Cell | null {
  const to: Record<string, Cell> = {
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    Home: { row, column: 0 },
    End: { row, column: columns.length - 1 },
    PageUp: { row: 0, column },
    PageDown: { row: rows.length - 1, column },
  };
  const next = to[key];
  if (!next) return null;
  const within = (at: number, count: number) => Math.max(0, Math.min(count - 1, at));
  return { row: within(next.row, rows.length), column: within(next.column, columns.length) };
}
