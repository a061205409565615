import { ofRun, type Answer } from '../engine/index.ts';
import { AXIS, DOT, FILL, INK, LINE, RULE, SOFT, frame, linearScale, round, tickText, type Scale as Axis } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatShare, formatSigned, formatValue } from './numbers.ts';

const WIDTHS = { least: 400, most: 640, each: 56 };
const HEIGHT = 300;
const PLOT = { left: 64, right: 72, top: 16, bottom: 64 };

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
  const { metric, foil } = ofRun(answer);
  const rows = degreeRows(answer);
  const scale = scaleOf(rows, metric);
  const { width } = scale;
  const unit = foil === null ? 'logit' : 'logit difference';
  const text = describe(rows, metric, unit);
  return frame({ id: 'degrees', title: 'Sum of all paths of each degree', text, width, height: HEIGHT }, [
    scale.ticks.map((tick) => gridLine(tick, scale)),
    metricLine(metric, scale),
    rows.map((row, index) => bar(row, index, rows.length, scale)),
    runningLine(rows, scale),
    markup`<line x1="${PLOT.left}" x2="${width - PLOT.right}" y1="${scale.at(0)}" y2="${scale.at(0)}" style="${AXIS}"/>
<text x="${(PLOT.left + width - PLOT.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle" style="${SOFT}">degree (components on the path)</text>
<text transform="translate(14 ${(PLOT.top + HEIGHT - PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle" style="${SOFT}">${unit} (logits)</text>`,
  ]).toString();
}

/** Up to this many bars have their number below. */
const NUMBERED = 10;
/** Beyond this many, not every bar has its degree below. */
const NAMED = 25;

interface Scale extends Axis {
  width: number;
}

function scaleOf(rows: DegreeRow[], metric: number): Scale {
  const values = [0, metric, ...rows.flatMap((row) => [row.value, row.running])];
  return {
    ...linearScale(values, HEIGHT - PLOT.bottom, PLOT.top),
    width: Math.min(WIDTHS.most, Math.max(WIDTHS.least, PLOT.left + PLOT.right + rows.length * WIDTHS.each)),
  };
}

function gridLine(tick: number, scale: Scale): Markup {
  const y = scale.at(tick);
  return markup`<line x1="${PLOT.left}" x2="${scale.width - PLOT.right}" y1="${y}" y2="${y}" style="${RULE}"/><text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end" style="${SOFT}">${tickText(tick)}</text>`;
}

function metricLine(metric: number, scale: Scale): Markup {
  const y = scale.at(metric);
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
  const zero = scale.at(0);
  const end = scale.at(row.value);
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
    return `${round(left + width / 2)},${scale.at(row.running)}`;
  });
  return markup`<polyline points="${points.join(' ')}" fill="none" style="${LINE}"/>${points.map((point) => {
    const [x, y] = point.split(',');
    return markup`<circle cx="${x!}" cy="${y!}" r="3.5" style="${DOT}"/>`;
  })}`;
}

function describe(rows: DegreeRow[], metric: number, unit: string): string {
  const each = rows.map((row) => `degree ${row.degree} ${formatSigned(row.value)} (${formatShare(row.value, metric)})`);
  return `Bars: the ${unit} carried by all paths of one degree; line: the running sum. ${each.join('; ')}. The metric is ${formatValue(metric)}.`;
}
