import { RULE, SOFT, frame, round, shortened } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatSigned, formatValue } from './numbers.ts';

export interface Heatmap {
  id: string;
  title: string;
  /** what rows, columns and the shade are */
  down: string;
  along: string;
  shade: string;
  rows: readonly string[];
  columns: readonly string[];
  /** of a row and a column; null = there is none. Values are not negative unless `signed`. */
  value: (row: number, column: number) => number | null;
  /** two colours, for what raises and what lowers */
  signed?: boolean;
  /** what a cell is about */
  name: (row: number, column: number) => string;
}

const CELLS = { most: 24, least: 5, room: 420 };
/** Names are left out where a cell is lower than this. */
const NAMED = 11;
/** Width of the shades beside the text of the legend. */
const LEGEND = 80;
const CHARACTER = 6.7;
const LONGEST = 14;
/** Cells fainter than this share of the largest are not drawn. */
const FAINT = 0.005;
/** Numbers said in words; a larger map names only its largest ones. */
const SPOKEN = 40;

/** A matrix as shades of one colour, from nothing to its largest value; of two colours where values have signs. */
export function heatmapFigure(map: Heatmap): string {
  const { body, width, height, text } = heatmapParts(map);
  return frame({ id: map.id, title: map.title, text, width, height, least: Math.min(width, 320) }, [body]).toString();
}

const GAP = 28;
const SUBTITLE = 22;

/** Matrices beside each other, each under its own title. */
export function heatmapsFigure(id: string, title: string, maps: readonly Heatmap[]): string {
  let left = 0;
  let height = 0;
  const placed = maps.map((map) => {
    const parts = heatmapParts(map);
    const at = left;
    left += parts.width + GAP;
    height = Math.max(height, parts.height);
    return { map, parts, at };
  });
  const text = placed.map(({ map, parts }) => `${map.title}. ${parts.text}`).join(' ');
  const width = Math.max(1, left - GAP);
  return frame(
    { id, title, text, width, height: height + SUBTITLE },
    placed.map(
      ({ map, parts, at }) =>
        markup`<g transform="translate(${round(at)} ${SUBTITLE})"><text x="24" y="-8" style="${INK_TITLE}">${map.title}</text>${parts.body}</g>`,
    ),
  ).toString();
}

const INK_TITLE = 'fill:var(--ink,#1b1d1f);font-weight:600';

interface Parts {
  body: Markup[];
  width: number;
  height: number;
  text: string;
}

function heatmapParts(map: Heatmap): Parts {
  const cells = cellsOf(map);
  const largest = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const size = Math.max(CELLS.least, Math.min(CELLS.most, Math.floor(CELLS.room / Math.max(map.rows.length, map.columns.length, 1))));
  const widest = (names: readonly string[]) =>
    round((size < NAMED ? 0 : names.reduce((most, name) => Math.max(most, Math.min(LONGEST, name.length)), 1)) * CHARACTER);
  const left = 24 + widest(map.rows) + 6;
  const top = widest(map.columns) + 10;
  const plot = { width: size * map.columns.length, height: size * map.rows.length };
  const scale = `${map.signed ? formatValue(-largest) : '0'} to ${formatValue(largest)} ${map.shade}`;
  const width = round(left + Math.max(plot.width, LEGEND + scale.length * CHARACTER) + 12);
  const height = top + plot.height + 56;
  const body = [
    markup`<rect x="${left}" y="${top}" width="${plot.width}" height="${plot.height}" fill="none" style="${RULE}"/>`,
    ...cells.flatMap((cell) => square(cell, map, { left, top, size, largest }) ?? []),
    ...(size < NAMED ? [] : map.rows.map((name, index) => rowName(name, left - 6, top + (index + 0.5) * size + 4))),
    ...(size < NAMED ? [] : map.columns.map((name, index) => columnName(name, left + (index + 0.5) * size + 4, top - 6))),
    markup`<text x="${left}" y="${top + plot.height + 18}" style="${SOFT}">${map.along} →</text>
<text transform="translate(14 ${top}) rotate(-90)" text-anchor="end" style="${SOFT}">← ${map.down}</text>`,
    legend(scale, left, height - 12, map.signed ?? false),
  ];
  return { body, width, height, text: describe(map, cells, largest) };
}

interface Square {
  row: number;
  column: number;
  value: number;
}

function cellsOf({ rows, columns, value }: Heatmap): Square[] {
  return rows.flatMap((_, row) =>
    columns.flatMap((__, column): Square[] => {
      const cell = value(row, column);
      return cell === null || !Number.isFinite(cell) ? [] : [{ row, column, value: cell }];
    }),
  );
}

interface Place {
  left: number;
  top: number;
  size: number;
  largest: number;
}

function square({ row, column, value }: Square, map: Heatmap, { left, top, size, largest }: Place): Markup | null {
  const share = largest > 0 ? Math.abs(value) / largest : 0;
  if (share < FAINT) return null;
  const name = map.name(row, column);
  const written = map.signed ? formatSigned(value) : formatValue(value);
  return markup`<rect data-name="${name}" x="${left + column * size}" y="${top + row * size}" width="${size - 1}" height="${size - 1}" style="${value < 0 ? BELOW : SHADE}" fill-opacity="${round(share)}"><title>${name} ${written}</title></rect>`;
}

const SHADE = 'fill:var(--positive,#1f6fb2)';
const BELOW = 'fill:var(--negative,#b9540b)';
const NAME = `${SOFT};font:11px ui-monospace,monospace`;

function rowName(name: string, x: number, y: number): Markup {
  return markup`<text x="${x}" y="${round(y)}" text-anchor="end" style="${NAME}">${shortened(name, LONGEST)}</text>`;
}

function columnName(name: string, x: number, y: number): Markup {
  return markup`<text transform="translate(${round(x)} ${y}) rotate(-90)" style="${NAME}">${shortened(name, LONGEST)}</text>`;
}

function legend(text: string, x: number, y: number, signed: boolean): Markup {
  const steps = signed ? [-1, -0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  return markup`<g>${steps.map((step, index) => markup`<rect x="${x + index * 14}" y="${y - 9}" width="13" height="10" style="${step < 0 ? BELOW : SHADE};${RULE}" fill-opacity="${Math.abs(step)}"/>`)}<text x="${x + steps.length * 14 + 6}" y="${y}" style="${SOFT}">${text}</text></g>`;
}

function describe(map: Heatmap, cells: readonly Square[], largest: number): string {
  const ranked = cells.toSorted((left, right) => Math.abs(right.value) - Math.abs(left.value)).slice(0, SPOKEN);
  const write = map.signed ? formatSigned : formatValue;
  const each = ranked.map(({ row, column, value }) => `${map.name(row, column)} ${write(value)}`);
  const which = ranked.length < cells.length ? `The ${SPOKEN} largest of ${cells.length}` : 'Largest first';
  return `Rows: ${map.down}; columns: ${map.along}; shade: ${map.shade}, up to ${formatValue(largest)}. ${which}: ${each.join('; ')}.`;
}
