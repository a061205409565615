import { AXIS, FILL, INK, RULE, SOFT, frame, linearScale, round, shortened, tickText, type Scale } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatCount, formatSigned } from './numbers.ts';

export interface Bar {
  name: string;
  value: number;
}

export interface Bars {
  id: string;
  title: string;
  /** what a bar's length is, with its unit */
  axis: string;
  bars: readonly Bar[];
  /** what the others add up to, drawn last */
  rest?: Bar | null;
}

const MOST = 30;
const ROW = 20;
const HEAD = 8;
const FOOT = 44;
const PLOT = 300;
const NUMBERS = 76;
const CHARACTER = 6.7;
const LONGEST = 36;

/** Bars from zero, one a row, the largest first; beyond {@link MOST} it says how many it leaves out. */
export function barsFigure({ id, title, axis, bars, rest = null }: Bars): string {
  const largest = bars.toSorted((left, right) => Math.abs(right.value) - Math.abs(left.value)).slice(0, MOST);
  const shown = rest === null ? largest : [...largest, rest];
  const longest = shown.reduce((most, { name }) => Math.max(most, Math.min(LONGEST, name.length)), 4);
  const left = round(longest * CHARACTER + 16);
  const height = HEAD + shown.length * ROW + FOOT;
  const scale = linearScale([0, ...shown.map(({ value }) => value)], left, left + PLOT);
  const bottom = height - FOOT;
  const heading = bars.length > largest.length ? `${title}: the ${MOST} largest of ${formatCount(bars.length)}` : title;
  return frame({ id, title: heading, text: describe(heading, axis, shown), width: left + PLOT + NUMBERS, height }, [
    scale.ticks.map((tick) => tickLine(tick, scale, bottom)),
    markup`<line x1="${scale.at(0)}" x2="${scale.at(0)}" y1="${HEAD}" y2="${bottom}" style="${AXIS}"/>`,
    shown.map((bar, index) => row(bar, HEAD + index * ROW, left, scale)),
    markup`<text x="${left + PLOT / 2}" y="${height - 8}" text-anchor="middle" style="${SOFT}">${axis}</text>`,
  ]).toString();
}

function tickLine(tick: number, scale: Scale, bottom: number): Markup {
  const x = scale.at(tick);
  return markup`<line x1="${x}" x2="${x}" y1="${HEAD}" y2="${bottom}" style="${RULE}"/><text x="${x}" y="${bottom + 16}" text-anchor="middle" style="${SOFT}">${tickText(tick)}</text>`;
}

function row({ name, value }: Bar, top: number, left: number, scale: Scale): Markup {
  const zero = scale.at(0);
  const end = scale.at(value);
  const middle = top + ROW / 2 + 4;
  return markup`<g data-name="${name}"><title>${name} ${formatSigned(value)}</title><text x="${left - 8}" y="${middle}" text-anchor="end" style="${INK};font:11px ui-monospace,monospace">${shortened(name, LONGEST)}</text><rect x="${Math.min(zero, end)}" width="${Math.max(1, round(Math.abs(end - zero)))}" y="${top + 4}" height="${ROW - 8}" style="${value < 0 ? FILL.down : FILL.up}"/><text x="${left + PLOT + NUMBERS - 2}" y="${middle}" text-anchor="end" style="${SOFT};font:11px ui-monospace,monospace">${formatSigned(value)}</text></g>`;
}

function describe(heading: string, axis: string, bars: readonly Bar[]): string {
  return `${heading}. ${axis}: ${bars.map(({ name, value }) => `${name} ${formatSigned(value)}`).join('; ')}.`;
}
