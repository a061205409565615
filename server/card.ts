import { ofRun } from '../lib/engine/index.ts';
import { Markup, markup } from '../lib/figures/markup.ts';
import { formatShare, formatSigned, formatValue, visibleToken } from '../lib/figures/numbers.ts';
import { shortened } from '../lib/figures/drawing.ts';
import type { Snapshot } from '../lib/snapshot.ts';

/** What a link to a published page shows of it: title, question and the largest paths, as an SVG of 1200 × 630. */

const SIZE = { width: 1200, height: 630 };
const MARGIN = 64;
const BARS = 5;
const MONO = new Markup('font-family="DejaVu Sans Mono"');

export function cardOf({ title, question, authors, partition }: Snapshot): string {
  const { metric, terms, target, foil, targetText, foilText } = ofRun(partition);
  const titleLines = wrapped(title, 34, 2);
  const questionLines = wrapped(question, 66, titleLines.length > 1 ? 1 : 2);
  const top = MARGIN + 48 + titleLines.length * 58;
  const largest = terms.toSorted((a, b) => Math.abs(b.value ?? 0) - Math.abs(a.value ?? 0)).slice(0, BARS);
  const scale = Math.max(...largest.map(({ value = 0 }) => Math.abs(value)), 1e-12);
  const signs = signsOf(largest.map(({ value = 0 }) => value));
  const token = (text: string | undefined, id: number) => shortened(visibleToken(text ?? String(id)), 16);
  const asked = `logit ${token(targetText, target)}${foil === null ? '' : ` − logit ${token(foilText, foil)}`} = ${formatValue(metric)}`;
  const barsTop = SIZE.height - MARGIN - 40 - BARS * 40;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" font-family="DejaVu Sans" fill="#1a1c1e">
<rect width="${SIZE.width}" height="${SIZE.height}" fill="#ffffff"/>
<rect width="${SIZE.width}" height="10" fill="#1a1c1e"/>
${titleLines.map((line, index) => markup`<text x="${MARGIN}" y="${MARGIN + 44 + index * 58}" font-size="46" font-weight="bold">${line}</text>`)}
${questionLines.map((line, index) => markup`<text x="${MARGIN}" y="${top + index * 34}" font-size="25" fill="#54595f">${line}</text>`)}
<text x="${MARGIN}" y="${barsTop - 22}" font-size="24" ${MONO}>${asked}</text>
${largest.map(({ name, value = 0 }, index) => bar(name, value, barsTop + index * 40, scale, metric, signs))}
<text x="${MARGIN}" y="${SIZE.height - MARGIN + 24}" font-size="21" fill="#54595f">${shortened(authors.join(', '), 60)}</text>
<text x="${SIZE.width - MARGIN}" y="${SIZE.height - MARGIN + 24}" font-size="21" text-anchor="end" fill="#54595f">Pathboard</text>
</svg>`.toString();
}

/** Names on the left, numbers on the right, and between them bars from a zero in the middle, or at the edge where all have one sign. */
function bar(name: string, value: number, y: number, scale: number, metric: number, signs: Signs): Markup {
  const [left, right] = [500, 930];
  const zero = signs === 'both' ? (left + right) / 2 : signs === 'up' ? left : right;
  const length = Math.max(2, (Math.abs(value) / scale) * (signs === 'both' ? (right - left) / 2 : right - left));
  const x = value < 0 ? zero - length : zero;
  return markup`<text x="${MARGIN}" y="${y + 22}" font-size="20" ${MONO}>${shortened(name, 34)}</text><rect x="${Math.round(x)}" y="${y + 4}" width="${Math.round(length)}" height="24" fill="${value < 0 ? '#b9540b' : '#1f6fb2'}"/><text x="${SIZE.width - MARGIN - 96}" y="${y + 22}" font-size="20" text-anchor="end" ${MONO}>${formatSigned(value)}</text><text x="${SIZE.width - MARGIN}" y="${y + 22}" font-size="20" text-anchor="end" fill="#54595f" ${MONO}>${formatShare(value, metric)}</text>`;
}

type Signs = 'up' | 'down' | 'both';

function signsOf(values: readonly number[]): Signs {
  if (values.every((value) => value >= 0)) return 'up';
  return values.every((value) => value <= 0) ? 'down' : 'both';
}

/** Lines of about so many characters; the last one says with an ellipsis that more was written. */
function wrapped(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    const cut = word.length > width ? `${word.slice(0, width - 1)}…` : word;
    if (last !== undefined && `${last} ${cut}`.length <= width) lines[lines.length - 1] = `${last} ${cut}`;
    else lines.push(cut);
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${(lines[most - 1] ?? '').slice(0, width - 1)}…`];
}
