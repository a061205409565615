import { isEngineError, parseNode, type Answer, type Node } from '../engine/index.ts';
import { AXIS, INK, SOFT, frame, round } from './drawing.ts';
import { markup, type Markup } from './markup.ts';
import { formatSigned } from './numbers.ts';

const WIDTH = 720;
const ROW = 72;
const MARGIN = { left: 56, right: 24, top: 28, bottom: 32 };
const STROKE = { least: 0.75, most: 9 };
/** Edges drawn; a longer list stays in the table. */
const MOST = 40;
const BOX = { width: 54, height: 20 };

interface Edge {
  name: string;
  from: string;
  to: string;
  value: number;
}

interface Place {
  name: string;
  rank: number;
  order: number;
  x: number;
  y: number;
}

/**
 * The largest edges of a `flow` answer [M26], `input` at the bottom and `logits` on top: a row a stage, as wide as its
 * flow and coloured by its sign.
 */
export function stagesFigure({ terms, foil }: Answer): string {
  const edges = terms
    .flatMap(({ name, value }): Edge[] => {
      const [from, to, ...more] = name.split('->');
      return from && to && more.length === 0 && value !== undefined ? [{ name, from, to: to.replace(/<[qkv]>$/, ''), value }] : [];
    })
    .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, MOST);
  const { places, rows } = layOut(edges);
  const height = MARGIN.top + Math.max(0, rows - 1) * ROW + MARGIN.bottom;
  const largest = edges.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const title = terms.length > edges.length ? `Flow along the ${edges.length} largest edges` : 'Flow along the edges';
  const unit = foil === null ? 'logit' : 'logit difference';
  const told = edges.map(({ name, value }) => `${name} ${formatSigned(value)}`).join('; ');
  const text = `Each edge is the sum of all paths that use it, in ${unit}. Largest first: ${told}.`;
  return frame({ id: 'flow', title, text, width: WIDTH, height, least: 480 }, [
    edges.toReversed().map((edge) => line(edge, places, largest)),
    [...places.values()].map(box),
    markup`<text transform="translate(14 ${round(height / 2)}) rotate(-90)" text-anchor="middle" style="${SOFT}">stage, input below</text>`,
  ]).toString();
}

function layOut(edges: readonly Edge[]): { places: Map<string, Place>; rows: number } {
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  const ranked = names.map((name) => ({ name, ...rankOf(name) }));
  const ranks = [...new Set(ranked.map(({ rank }) => rank))].sort((a, b) => a - b);
  const places = new Map<string, Place>();
  ranks.forEach((rank, row) => {
    const within = ranked.filter((one) => one.rank === rank).sort((a, b) => a.order - b.order);
    const room = WIDTH - MARGIN.left - MARGIN.right;
    within.forEach(({ name, order }, index) => {
      const x = round(MARGIN.left + (room * (index + 0.5)) / within.length);
      places.set(name, { name, rank, order, x, y: MARGIN.top + (ranks.length - 1 - row) * ROW });
    });
  });
  return { places, rows: ranks.length };
}

/** Heads of a layer and its bias side by side, its MLP above them. */
function rankOf(name: string): { rank: number; order: number } {
  const node = nodeOf(name);
  switch (node?.kind) {
    case 'input':
      return { rank: -1, order: 0 };
    case 'head':
      return { rank: 2 * node.layer, order: node.head };
    case 'attn-bias':
      return { rank: 2 * node.layer, order: Infinity };
    case 'mlp':
    case 'mlp-bias':
      return { rank: 2 * node.layer + 1, order: 0 };
    case 'logits-bias':
      return { rank: Number.MAX_SAFE_INTEGER - 1, order: 0 };
    default:
      return { rank: Number.MAX_SAFE_INTEGER, order: 0 };
  }
}

function nodeOf(name: string): Node | null {
  try {
    return parseNode(name);
  } catch (error) {
    if (isEngineError(error)) return null;
    throw error;
  }
}

function line({ name, from, to, value }: Edge, places: ReadonlyMap<string, Place>, largest: number): Markup | null {
  const [a, b] = [places.get(from), places.get(to)];
  if (!a || !b) return null;
  const share = largest > 0 ? Math.abs(value) / largest : 0;
  const width = round(STROKE.least + share * (STROKE.most - STROKE.least));
  const colour = value < 0 ? 'var(--negative,#b9540b)' : 'var(--positive,#1f6fb2)';
  const bend = round((a.y - b.y) / 2);
  const [top, bottom] = [b.y + BOX.height / 2, a.y - BOX.height / 2];
  return markup`<path data-edge="${name}" d="M${a.x} ${bottom}C${a.x} ${round(bottom - bend / 2)} ${b.x} ${round(top + bend / 2)} ${b.x} ${top}" fill="none" style="stroke:${colour};stroke-width:${width};opacity:${round(0.35 + 0.55 * share)}"><title>${name} ${formatSigned(value)}</title></path>`;
}

function box({ name, x, y }: Place): Markup {
  const width = Math.max(BOX.width, name.length * 7 + 10);
  return markup`<g data-node="${name}"><rect x="${x - width / 2}" y="${y - BOX.height / 2}" width="${width}" height="${BOX.height}" rx="2" style="fill:var(--ground,#fff);${AXIS}"/><text x="${x}" y="${y + 4}" text-anchor="middle" style="${INK};font:11px ui-monospace,monospace">${name}</text></g>`;
}
