import type { Answer } from '../engine/index.ts';
import { markup, type Markup } from './markup.ts';
import { formatShare, formatSigned, formatValue } from './numbers.ts';

const WIDTHS = { least: 400, most: 640, each: 56 };
const HEIGHT = 300;
const PLOT = { left: 64, right: 72, top: 16, bottom: 64 };

const FILL = { up: 'fill:var(--positive,#1f6fb2)', down: 'fill:var(--negative,#b9540b)' };
const INK = 'fill:var(--ink,#1b1d1f)';
const DOT = `${INK};stroke:var(--paper,var(--ground,#fff));stroke-width:1.5`;
const SOFT = 'fill:var(--ink-soft,#565b61)';
const RULE = 'stroke:var(--line,#d9dad6)';
const AXIS = 'stroke:var(--ink-soft,#565b61)';

export interface DegreeRow {
  degree: number;
  value: number;
  /** sum of this degree and all below */
  running: number;
}

/** The terms of a `degrees` answer by degree, with running sums. */
export function degreeRows(answer: Answer): DegreeRow[] {
  let running = 0;
  return answer.terms
    .map((term) => ({ degree: term.degree ?? Number(term.name), value: term.value ?? 0 }))
    .sort((left, right) => left.degree - right.degree)
    .map((term) => ({ ...term, running: (running += term.value) }));
}

/**
 * The degree spectrum [M13] as an SVG document: a signed bar for each degree, and a line for what all
 * paths up to that degree add up to. Colours come from the page's custom properties where it has them.
 */
export function degreesFigure(answer: Answer): string {
  const rows = degreeRows(answer);
  const scale = scaleOf(rows, answer.metric);
  const { width } = scale;
  const unit = answer.foil === null ? 'logit' : 'logit difference';
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" width="100%" role="img" aria-labelledby="degrees-title degrees-text" style="display:block;max-width:${width}px;min-width:${0.75 * width}px;font:12px ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums">
<title id="degrees-title">Sum of all paths of each degree</title>
<desc id="degrees-text">${describe(rows, answer.metric, unit)}</desc>
${scale.ticks.map((tick) => gridLine(tick, scale))}
${metricLine(answer.metric, scale)}
${rows.map((row, index) => bar(row, index, rows.length, scale))}
${runningLine(rows, scale)}
<line x1="${PLOT.left}" x2="${width - PLOT.right}" y1="${scale.y(0)}" y2="${scale.y(0)}" style="${AXIS}"/>
<text x="${(PLOT.left + width - PLOT.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle" style="${SOFT}">degree (components on the path)</text>
<text transform="translate(14 ${(PLOT.top + HEIGHT - PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle" style="${SOFT}">${unit} (logits)</text>
</svg>`.toString();
}

/** Up to this many bars have their number below. */
const NUMBERED = 10;
/** Beyond this many, not every bar has its degree below. */
const NAMED = 25;

interface Scale {
  width: number;
  y: (value: number) => number;
  ticks: number[];
}

function scaleOf(rows: DegreeRow[], metric: number): Scale {
  const values = [0, metric, ...rows.flatMap((row) => [row.value, row.running])];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || 1;
  const step = niceStep(span / 5);
  const from = Math.floor(low / step) * step;
  const to = Math.max(Math.ceil(high / step), Math.floor(low / step) + 1) * step;
  const count = Math.round((to - from) / step);
  return {
    width: Math.min(WIDTHS.most, Math.max(WIDTHS.least, PLOT.left + PLOT.right + rows.length * WIDTHS.each)),
    y: (value) => round(PLOT.top + ((to - value) / (to - from)) * (HEIGHT - PLOT.top - PLOT.bottom)),
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((from + index * step).toPrecision(12))),
  };
}

/** The nearest 1, 2 or 5 times a power of ten that is not below the wanted step. */
function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= wanted)!;
}

function gridLine(tick: number, scale: Scale): Markup {
  const y = scale.y(tick);
  return markup`<line x1="${PLOT.left}" x2="${scale.width - PLOT.right}" y1="${y}" y2="${y}" style="${RULE}"/><text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end" style="${SOFT}">${tickText(tick)}</text>`;
}

function tickText(tick: number): string {
  return String(tick).replace('-', '\u2212');
}

function metricLine(metric: number, scale: Scale): Markup {
  const y = scale.y(metric);
  const end = scale.width - PLOT.right;
  return markup`<line x1="${PLOT.left}" x2="${end}" y1="${y}" y2="${y}" style="${AXIS};stroke-dasharray:2 3"/><text x="${end + 6}" y="${y - 2}" style="${SOFT}">metric<tspan x="${end + 6}" dy="14">${formatValue(metric)}</tspan></text>`;
}

function bandOf(index: number, count: number, scale: Scale): { left: number; width: number } {
  const band = (scale.width - PLOT.left - PLOT.right) / Math.max(count, 1);
  const width = Math.min(64, band * 0.6);
  return { left: round(PLOT.left + band * (index + 0.5) - width / 2), width: round(width) };
}

function bar(row: DegreeRow, index: number, count: number, scale: Scale): Markup {
  const { left, width } = bandOf(index, count, scale);
  const zero = scale.y(0);
  const end = scale.y(row.value);
  const up = row.value >= 0;
  const centre = round(left + width / 2);
  return markup`<g><title>degree ${row.degree}: ${formatSigned(row.value)}, up to here ${formatValue(row.running)}</title><rect x="${left}" width="${width}" y="${Math.min(zero, end)}" height="${Math.max(1, round(Math.abs(end - zero)))}" style="${up ? FILL.up : FILL.down}"/>${
    index % Math.ceil(count / NAMED) === 0 &&
    markup`<text x="${centre}" y="${HEIGHT - PLOT.bottom + 18}" text-anchor="middle" style="${INK}">${row.degree}</text>`
  }${
    count <= NUMBERED &&
    markup`<text x="${centre}" y="${HEIGHT - PLOT.bottom + 34}" text-anchor="middle" style="${SOFT}">${formatSigned(row.value)}</text>`
  }</g>`;
}

function runningLine(rows: DegreeRow[], scale: Scale): Markup | null {
  if (rows.length < 2) return null;
  const points = rows.map((row, index) => {
    const { left, width } = bandOf(index, rows.length, scale);
    return `${round(left + width / 2)},${scale.y(row.running)}`;
  });
  return markup`<polyline points="${points.join(' ')}" fill="none" style="stroke:var(--ink,#1b1d1f);stroke-width:1.5"/>${points.map(
    (point) => {
      const [x, y] = point.split(',');
      return markup`<circle cx="${x!}" cy="${y!}" r="3.5" style="${DOT}"/>`;
    },
  )}`;
}

function describe(rows: DegreeRow[], metric: number, unit: string): string {
  const each = rows.map((row) => `degree ${row.degree} ${formatSigned(row.value)} (${formatShare(row.value, metric)})`);
  return `Bars: the ${unit} carried by all paths of one degree; line: the running sum. ${each.join('; ')}. The metric is ${formatValue(metric)}.`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
