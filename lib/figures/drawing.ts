import { markup, type Markup, type MarkupValue } from './markup.ts';

/** What all figures share. Colours come from the page's custom properties where it has them. */

export const FILL = { up: 'fill:var(--positive,#1f6fb2)', down: 'fill:var(--negative,#b9540b)' };
export const INK = 'fill:var(--ink,#1b1d1f)';
export const DOT = `${INK};stroke:var(--paper,var(--ground,#fff));stroke-width:1.5`;
export const LINE = 'stroke:var(--ink,#1b1d1f);stroke-width:1.5';
export const SOFT = 'fill:var(--ink-soft,#565b61)';
export const RULE = 'stroke:var(--line,#d9dad6)';
export const AXIS = 'stroke:var(--ink-soft,#565b61)';

interface Frame {
  /** of the page; the ids of title and text start with it */
  id: string;
  title: string;
  /** everything the figure shows, in words and numbers */
  text: string;
  width: number;
  height: number;
  /** the width below which it scrolls instead of shrinking */
  least?: number;
}

export function frame({ id, title, text, width, height, least = 0.75 * width }: Frame, body: readonly MarkupValue[]): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-labelledby="${id}-title ${id}-text" style="display:block;max-width:100%;height:auto;min-width:${least}px;font:12px ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums">
<title id="${id}-title">${title}</title>
<desc id="${id}-text">${text}</desc>
${body}
</svg>`;
}

export interface Scale {
  /** where a value lies, in pixels */
  at: (value: number) => number;
  ticks: number[];
}

const STEPS = 5;

/** From the lowest value at pixel `from` to the highest at pixel `to`, both rounded outwards to a tick. */
export function linearScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const step = niceStep((high - low || 1) / STEPS);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  const start = first * step;
  const span = (last - first) * step;
  return {
    at: (value) => round(from + ((value - start) / span) * (to - from)),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => Number((start + index * step).toPrecision(12))),
  };
}

/** Powers of ten. Every value must be positive. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(Math.ceil(Math.log10(Math.max(...values))), first + 1);
  const step = Math.ceil((last - first) / (2 * STEPS));
  return {
    at: (value) => round(from + ((Math.log10(value) - first) / (last - first)) * (to - from)),
    ticks: Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => 10 ** (first + index * step)),
  };
}

/** The nearest 1, 2 or 5 times a power of ten that is not below the wanted step. */
function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= wanted)!;
}

export function tickText(tick: number): string {
  return String(tick).replaceAll('-', '\u2212');
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A name that must not be longer than so many characters keeps both of its ends. */
export function shortened(name: string, most: number): string {
  if (name.length <= most) return name;
  const head = Math.ceil((most - 1) / 2);
  return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`;
}
