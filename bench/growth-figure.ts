/** Milliseconds of one kind of work at each size of an axis. */
export interface Curve {
  name: string;
  values: number[];
}

export interface Growth {
  axis: 'layers' | 'tokens' | 'K';
  /** milliseconds by work, one for each of `at` */
  at: readonly number[];
  curves: Curve[];
}

const PANEL = { width: 300, height: 300, left: 58, right: 14, top: 34, bottom: 46 };
const COLORS = ['#1b6ca8', '#b4552d', '#3a7d44', '#7a4fa3', '#a3873a', '#b03a63', '#4a6f7c'];
const FONT = 'font: 11px system-ui, sans-serif; fill: #333';

/** One log-log panel an axis, with a legend, as SVG text. */
export function growthFigure(tables: readonly Growth[]): string {
  const names = [...new Set(tables.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const width = tables.length * PANEL.width;
  const height = PANEL.height + 24 * Math.ceil(names.length / 4) + 12;
  const legend = names.map((name, index) => {
    const [x, y] = [PANEL.left + (index % 4) * 210, PANEL.height + 20 + 24 * Math.floor(index / 4)];
    return `<line x1="${x}" x2="${x + 22}" y1="${y - 4}" y2="${y - 4}" stroke="${COLORS[index]}" stroke-width="2"/><text x="${x + 28}" y="${y}" style="${FONT}">${name}</text>`;
  });
  const description = tables.map(({ axis, at, curves }) => {
    const each = curves.map(({ name, values }) => `${name} ${values.map((value) => value.toFixed(0)).join(', ')}`).join('; ');
    return `By ${axis} ${at.join(', ')}: ${each}.`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="growth-title growth-text" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title id="growth-title">Milliseconds of each kind of work as layers, tokens and K grow (both axes logarithmic)</title>
<desc id="growth-text">${description.join(' ')}</desc>
<rect width="${width}" height="${height}" fill="#fff"/>
${tables.map((table, index) => panel(table, index * PANEL.width, names)).join('\n')}
${legend.join('\n')}
</svg>
`;
}

function panel({ axis, at, curves }: Growth, offset: number, names: readonly string[]): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const all = curves.flatMap(({ values }) => values);
  const powers = { from: Math.floor(Math.log10(Math.min(...all))), to: Math.ceil(Math.log10(Math.max(...all))) };
  const x = (size: number) => left + ((width - left - right) * Math.log(size / at[0]!)) / Math.log(at.at(-1)! / at[0]!);
  const y = (ms: number) => height - bottom - ((height - top - bottom) * (Math.log10(ms) - powers.from)) / (powers.to - powers.from);
  const grid = Array.from({ length: powers.to - powers.from + 1 }, (_, step) => {
    const ms = 10 ** (powers.from + step);
    const at10 = y(ms).toFixed(1);
    return `<line x1="${left}" x2="${width - right}" y1="${at10}" y2="${at10}" stroke="#ddd"/><text x="${left - 6}" y="${at10}" dy="4" text-anchor="end" style="${FONT}">${ms.toLocaleString('en')}</text>`;
  });
  const ticks = at.map(
    (size) => `<text x="${x(size).toFixed(1)}" y="${height - bottom + 16}" text-anchor="middle" style="${FONT}">${size}</text>`,
  );
  const lines = curves.map(({ name, values }) => {
    const points = values.map((value, index) => `${x(at[index]!).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${COLORS[names.indexOf(name)]}" stroke-width="2"/>`;
  });
  return `<g transform="translate(${offset} 0)">
<text x="${left}" y="18" style="${FONT}; font-weight: 600">by ${axis}</text>
${grid.join('\n')}
${lines.join('\n')}
${ticks.join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle" style="${FONT}">${axis === 'K' ? 'K, paths' : axis}</text>
<text transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" style="${FONT}">milliseconds</text>
</g>`;
}
