import { AXIS, DOT, LINE, RULE, SOFT, frame, linearScale, logScale, round, tickText, type Scale } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatValue } from './numbers.ts';

export interface Point {
  label: string;
  /** null = nothing to draw there */
  value: number | null;
}

export interface Series {
  id: string;
  title: string;
  /** what the places along are */
  along: string;
  /** what the height is, with its unit */
  axis: string;
  points: readonly Point[];
  /** joined by a line, or each for itself */
  joined: boolean;
  /** values that have a line of their own */
  marks?: readonly { label: string; value: number }[];
}

const HEIGHT = 260;
const PLOT = { left: 72, right: 76, top: 16, bottom: 52 };
const WIDTHS = { least: 360, most: 640, each: 48 };
/** Beyond this ratio of largest to smallest the height is drawn in powers of ten. */
const WIDE = 200;
const NAMED = 16;

/** A value at each of several places: a line, or dots that belong to one example each. */
export function seriesFigure({ id, title, along, axis, points, joined, marks = [] }: Series): string {
  const width = Math.min(WIDTHS.most, Math.max(WIDTHS.least, PLOT.left + PLOT.right + points.length * WIDTHS.each));
  const values = [...points.flatMap(({ value }) => (value === null ? [] : [value])), ...marks.map(({ value }) => value)];
  const scale = scaleOf(values);
  const bottom = HEIGHT - PLOT.bottom;
  const xOf = (index: number) => round(PLOT.left + ((width - PLOT.left - PLOT.right) * (index + 0.5)) / Math.max(1, points.length));
  const every = Math.ceil(points.length / NAMED);
  return frame({ id, title, text: describe(axis, points, marks), width, height: HEIGHT }, [
    scale.ticks.map((tick) => gridLine(tick, scale, width)),
    marks.map((mark) => markLine(mark, scale, width)),
    joined && line(points, xOf, scale),
    points.map((point, index) => dot(point, xOf(index), scale)),
    points.map(
      ({ label }, index) =>
        index % every === 0 && markup`<text x="${xOf(index)}" y="${bottom + 18}" text-anchor="middle" style="${SOFT}">${label}</text>`,
    ),
    markup`<line x1="${PLOT.left}" x2="${width - PLOT.right}" y1="${bottom}" y2="${bottom}" style="${AXIS}"/>
<text x="${(PLOT.left + width - PLOT.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle" style="${SOFT}">${along}</text>
<text transform="translate(14 ${(PLOT.top + bottom) / 2}) rotate(-90)" text-anchor="middle" style="${SOFT}">${axis}</text>`,
  ]).toString();
}

function scaleOf(values: readonly number[]): Scale {
  const from = HEIGHT - PLOT.bottom;
  const spread = values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > WIDE;
  return spread ? logScale(values, from, PLOT.top) : linearScale([0, ...values], from, PLOT.top);
}

function gridLine(tick: number, scale: Scale, width: number): Markup {
  const y = scale.at(tick);
  return markup`<line x1="${PLOT.left}" x2="${width - PLOT.right}" y1="${y}" y2="${y}" style="${RULE}"/><text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end" style="${SOFT}">${tickText(tick)}</text>`;
}

function markLine({ label, value }: { label: string; value: number }, scale: Scale, width: number): Markup {
  const y = scale.at(value);
  const end = width - PLOT.right;
  return markup`<line x1="${PLOT.left}" x2="${end}" y1="${y}" y2="${y}" style="${AXIS};stroke-dasharray:2 3"/><text x="${end + 6}" y="${y - 2}" style="${SOFT}">${label}<tspan x="${end + 6}" dy="14">${formatValue(value)}</tspan></text>`;
}

function line(points: readonly Point[], xOf: (index: number) => number, scale: Scale): Markup {
  const places = points.flatMap(({ value }, index) => (value === null ? [] : [`${xOf(index)},${scale.at(value)}`]));
  return markup`<polyline points="${places.join(' ')}" fill="none" style="${LINE}"/>`;
}

function dot({ label, value }: Point, x: number, scale: Scale): Markup | null {
  if (value === null) return null;
  return markup`<circle cx="${x}" cy="${scale.at(value)}" r="4" style="${DOT}"><title>${label}: ${formatValue(value)}</title></circle>`;
}

function describe(axis: string, points: readonly Point[], marks: Series['marks'] & {}): string {
  const each = points.map(({ label, value }) => `${label} ${value === null ? 'none' : formatValue(value)}`);
  const marked = marks.map(({ label, value }) => ` ${label} ${formatValue(value)}.`);
  return `${axis}: ${each.join('; ')}.${marked.join('')}`;
}
