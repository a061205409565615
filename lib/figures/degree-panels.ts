import type { Answer, Kind, RunAnswer } from '../engine/index.ts';
import { degreeRows } from './degrees.ts';
import { AXIS, DOT, FILL, INK, LINE, RULE, SOFT, frame, linearScale, logScale, round, tickText, type Scale } from './drawing.ts';
import { byOrder } from './interactions.ts';
import { markup, type Markup } from './markup.ts';
import { formatError, formatSigned, formatValue } from './numbers.ts';

/** A value at each degree, drawn on a height of its own above a degree axis that it shares with others. */
export interface DegreePanel {
  id: string;
  title: string;
  kind: Kind;
  /** identity error, where there is one */
  error: number | null;
  /** what the height is, with its unit */
  axis: string;
  bars: readonly DegreeValue[];
  /** bars of a size, which has no sign to colour */
  unsigned?: boolean;
  line: readonly DegreeValue[];
  /** what is beyond the degrees that were evaluated, as a bar at the end */
  beyond: number | null;
  marks: readonly { label: string; value: number }[];
}

interface DegreeValue {
  degree: number;
  value: number;
}

const NOTHING = { bars: [], line: [], beyond: null, marks: [], error: null };
/** Short, since it stands along a low panel. */
const unitOf = ({ foil }: Answer) => (foil === null ? 'logit (logits)' : 'Δ logit (logits)');

/** [M13]: an identity. Bars for each degree, a line for what it adds up to. */
export function spectrumPanel(answer: RunAnswer): DegreePanel {
  const rows = degreeRows(answer);
  return {
    ...NOTHING,
    id: 'panel-spectrum',
    title: 'Exact: the sum of all frozen paths of each degree, and up to it',
    kind: 'identity',
    error: answer.error ?? null,
    axis: unitOf(answer),
    bars: rows,
    line: rows.map(({ degree, running }) => ({ degree, value: running })),
    marks: [{ label: 'metric', value: answer.metric }],
  };
}

function valuesOf({ terms }: Answer, read: (term: Answer['terms'][number]) => number | undefined): DegreeValue[] {
  return terms
    .flatMap((term) => {
      const value = read(term);
      return value === undefined ? [] : [{ degree: term.degree ?? Number(term.name), value }];
    })
    .sort((left, right) => left.degree - right.degree);
}

/** [M15]: how wrong the naive expansion is up to each degree. */
export function naiveErrorPanel(answer: Answer): DegreePanel {
  return {
    ...NOTHING,
    id: 'panel-naive-error',
    title: 'Naive: how far the sum up to each degree is from the stream',
    kind: 'approximation',
    axis: 'relative error',
    line: valuesOf(answer, (term) => term.relativeError),
    marks: [{ label: 'all of it', value: 1 }],
  };
}

/** [M15]: how large each degree of it is. */
export function naiveNormPanel(answer: Answer): DegreePanel {
  return {
    ...NOTHING,
    id: 'panel-naive-norm',
    title: 'Naive: the size of each degree’s sum',
    kind: 'approximation',
    axis: 'norm (stream)',
    unsigned: true,
    bars: valuesOf(answer, (term) => term.norm),
  };
}

/** [M18]: Möbius terms by the number of blocks. */
export function interactionsPanel(answer: RunAnswer): DegreePanel {
  return {
    ...NOTHING,
    id: 'panel-interactions',
    title: 'Exact and nonlinear: the sum of all interactions of each order',
    kind: 'identity',
    error: answer.error ?? null,
    axis: unitOf(answer),
    bars: byOrder(answer).map(({ order, value }) => ({ degree: order, value })),
    beyond: answer.remainder ? answer.remainder : null,
    marks: [{ label: 'metric', value: answer.metric }],
  };
}

/** [M25]: the loss when paths up to a degree alone count. */
export function ordersPanel(answer: Answer): DegreePanel {
  return {
    ...NOTHING,
    id: 'panel-orders',
    title: 'Importance: the loss when only paths up to each degree count',
    kind: 'approximation',
    axis: 'loss (nats)',
    line: valuesOf(answer, (term) => term.value),
  };
}

/** Degrees from 0 to the last that any panel has, and a place for what is beyond where one has that. */
export interface DegreeAxis {
  last: number;
  beyond: boolean;
}

export function axisOf(panels: readonly DegreePanel[]): DegreeAxis {
  const degrees = panels.flatMap(({ bars, line }) => [...bars, ...line].map(({ degree }) => degree));
  return { last: degrees.reduce((most, degree) => Math.max(most, degree), 1), beyond: panels.some(({ beyond }) => beyond !== null) };
}

const WIDTH = 620;
const HEIGHT = 146;
const PLOT = { left: 76, right: 80, top: 12, bottom: 44 };
const HEADING = 20;
const TITLE = 'Degree by degree: what is exact, what is not';
/** Beyond so many degrees not every one has its number. */
const NAMED = 25;

/** One panel by itself. */
export function panelFigure(panel: DegreePanel, axis: DegreeAxis): string {
  return frame({ id: panel.id, title: panel.title, text: describe(panel), width: WIDTH, height: HEIGHT, least: 420 }, [
    drawn(panel, axis),
  ]).toString();
}

/** All of them above each other on one axis, each with its kind and its error. */
export function panelsFigure(panels: readonly DegreePanel[]): string {
  const axis = axisOf(panels);
  const text = panels.map((panel) => `${panel.title} (${panel.kind}). ${describe(panel)}`).join(' ');
  const height = panels.length * (HEIGHT + HEADING);
  return frame(
    { id: 'degree-panels', title: TITLE, text, width: WIDTH, height },
    panels.map(
      (panel, index) =>
        markup`<g transform="translate(0 ${index * (HEIGHT + HEADING) + HEADING})"><text x="8" y="-6" style="${INK};font-weight:600">${panel.title}</text><text x="${WIDTH - 8}" y="-6" text-anchor="end" style="${SOFT}">${factsOf(panel)}</text>${drawn(panel, axis)}</g>`,
    ),
  ).toString();
}

function factsOf({ kind, error }: DegreePanel): string {
  return error === null ? kind : `${kind}, error ${formatError(error)}`;
}

function drawn(panel: DegreePanel, axis: DegreeAxis): Markup {
  const scale = scaleOf(panel);
  const places = axis.last + 1 + Number(axis.beyond);
  const band = (WIDTH - PLOT.left - PLOT.right) / places;
  const xOf = (degree: number) => round(PLOT.left + band * (degree + 0.5));
  const thick = round(Math.min(40, band * 0.55));
  const zero = scale.at(Math.max(0, scale.ticks[0]!));
  const every = Math.ceil(places / NAMED);
  const bottom = HEIGHT - PLOT.bottom;
  const bars = [...panel.bars, ...(panel.beyond === null ? [] : [{ degree: axis.last + 1, value: panel.beyond }])];
  return markup`${scale.ticks.map((tick) => gridLine(tick, scale))}${panel.marks.map((mark) => markLine(mark, scale))}${bars.map((bar) =>
    barOf(bar, bar.degree > axis.last ? 'beyond' : String(bar.degree), {
      x: xOf(bar.degree),
      thick,
      zero,
      scale,
      unsigned: panel.unsigned ?? false,
    }),
  )}${panel.line.length > 1 && markup`<polyline points="${panel.line.map(({ degree, value }) => `${xOf(degree)},${scale.at(value)}`).join(' ')}" fill="none" style="${LINE}"/>`}${panel.line.map(
    ({ degree, value }) =>
      markup`<circle cx="${xOf(degree)}" cy="${scale.at(value)}" r="3.5" style="${DOT}"><title>up to ${degree}: ${formatValue(value)}</title></circle>`,
  )}<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${zero}" y2="${zero}" style="${AXIS}"/>${Array.from(
    { length: axis.last + 1 },
    (_, degree) =>
      degree % every === 0 && markup`<text x="${xOf(degree)}" y="${bottom + 16}" text-anchor="middle" style="${INK}">${degree}</text>`,
  )}${axis.beyond && markup`<text x="${xOf(axis.last + 1)}" y="${bottom + 31}" text-anchor="middle" style="${SOFT}">beyond</text>`}<text x="${(PLOT.left + WIDTH - PLOT.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle" style="${SOFT}">degree (blocks)</text>
<text transform="translate(14 ${(PLOT.top + bottom) / 2}) rotate(-90)" text-anchor="middle" style="${SOFT}">${panel.axis}</text>`;
}

/** Beyond this ratio of largest to smallest the height is drawn in powers of ten. */
const WIDE = 200;

function scaleOf({ bars, line, beyond, marks }: DegreePanel): Scale {
  const drawnValues = [...bars, ...line].map(({ value }) => value);
  const values = [...drawnValues, ...(beyond === null ? [] : [beyond]), ...marks.map(({ value }) => value)];
  const bottom = HEIGHT - PLOT.bottom;
  const isWide = bars.length === 0 && values.length > 0 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > WIDE;
  return isWide ? logScale(values, bottom, PLOT.top) : linearScale([0, ...values], bottom, PLOT.top);
}

interface BarPlace {
  x: number;
  thick: number;
  zero: number;
  scale: Scale;
  unsigned: boolean;
}

function barOf({ value }: DegreeValue, name: string, { x, thick, zero, scale, unsigned }: BarPlace): Markup {
  const end = scale.at(value);
  return markup`<rect data-bar="${name}" x="${round(x - thick / 2)}" width="${thick}" y="${Math.min(zero, end)}" height="${Math.max(1, round(Math.abs(end - zero)))}" style="${unsigned ? SOFT : value < 0 ? FILL.down : FILL.up}"><title>${name}: ${formatSigned(value)}</title></rect>`;
}

function gridLine(tick: number, scale: Scale): Markup {
  const y = scale.at(tick);
  return markup`<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${y}" y2="${y}" style="${RULE}"/><text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end" style="${SOFT}">${tickText(tick)}</text>`;
}

function markLine({ label, value }: { label: string; value: number }, scale: Scale): Markup {
  const y = scale.at(value);
  const end = WIDTH - PLOT.right;
  return markup`<line x1="${PLOT.left}" x2="${end}" y1="${y}" y2="${y}" style="${AXIS};stroke-dasharray:2 3"/><text x="${end + 6}" y="${y - 2}" style="${SOFT}">${label}<tspan x="${end + 6}" dy="14">${formatValue(value)}</tspan></text>`;
}

function describe({ axis, bars, line, beyond, marks, error }: DegreePanel): string {
  const each = bars.map(({ degree, value }) => `${degree} ${formatSigned(value)}`);
  const upTo = line.map(({ degree, value }) => `${degree} ${formatValue(value)}`);
  return [
    `${axis} by degree.`,
    each.length > 0 && `Bars: ${each.join('; ')}.`,
    beyond !== null && `Beyond: ${formatSigned(beyond)}.`,
    upTo.length > 0 && `Line, up to each degree: ${upTo.join('; ')}.`,
    ...marks.map(({ label, value }) => `${label} ${formatValue(value)}.`),
    error !== null && `Error ${formatError(error)}.`,
  ]
    .filter(Boolean)
    .join(' ');
}
