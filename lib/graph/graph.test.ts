import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../engine/index.ts';
import { fitted, kept, panned, parseCamera, printCamera, toPlane, toView, zoomed } from './camera.ts';
import { distanceTo, handlesOf } from './curve.ts';
import { flowGraphOf, possibleFlows, stopsOf } from './flow-graph.ts';
import { hitOf } from './hits.ts';
import { layoutOf, rowOf } from './layout.ts';
import { lights, litIn } from './lit.ts';
import { folded, foldedLayout, nodesOf } from './mechanisms.ts';
import { firstThreshold, parseThreshold, stepOf, thresholdAt, visibleOf } from './threshold.ts';
import { startOf, walked } from './walk.ts';
import { shortNames } from './words.ts';

/** Two layers with two heads and an MLP, three tokens; as the engine answers. */
const FLOWS: Record<string, number> = {
  'input@0->a0.h0@1': 1,
  'input@1->a0.h1@2': -0.5,
  'a0.h0@1->a1.h1@2': 2,
  'a0.h1@2->m0@2': -0.25,
  'm0.b@2->m0@2': 0.125,
  'm0@2->logits': 0.75,
  'a1.h1@2->logits': 3,
  'logits.b->logits': 0.0625,
};
const answerOf = (flows: Record<string, number>, more: Partial<Answer> = {}) =>
  ({
    terms: Object.entries(flows).map(([name, value]) => ({ name, value })),
    through: [
      { name: 'a1.h1@2', value: 3 },
      { name: 'logits', value: 3.8125 },
    ],
    extent: { edges: 20, mass: 10, unlisted: 2.3125 },
    settings: { positions: true },
    tokens: [7, 8, 9],
    ...more,
  }) as unknown as Answer;

const GRAPH = flowGraphOf(answerOf(FLOWS));
const SIZES = { layers: 2, heads: 2, hasMlp: true, tokens: 3 };
const LAYOUT = layoutOf(GRAPH, SIZES);
const NO_PINS: ReadonlySet<string> = new Set();
const ALL = visibleOf(GRAPH, 0, 'all', NO_PINS);
const indexOf = (name: string) => GRAPH.nodes.findIndex((node) => node.name === name);
const edgeOf = (name: string) => GRAPH.edges.findIndex((edge) => edge.name === name);
const namesOf = (indices: Iterable<number>) => [...indices].map((index) => GRAPH.edges[index]!.name);

describe('the graph of an answer', () => {
  it('has each place once, and the largest edges first', () => {
    expect(GRAPH.by).toBe('token');
    expect(GRAPH.nodes).toHaveLength(new Set(Object.keys(FLOWS).flatMap((name) => name.split('->'))).size);
    expect(GRAPH.edges.map(({ value }) => Math.abs(value))).toEqual([3, 2, 1, 0.75, 0.5, 0.25, 0.125, 0.0625]);
    expect(GRAPH.nodes[indexOf('a1.h1@2')]).toMatchObject({ position: 2, value: 3, node: { kind: 'head', layer: 1, head: 1 } });
    expect(GRAPH.nodes[indexOf('input@0')]!.value).toBeNull();
  });

  it('is by head without positions', () => {
    const graph = flowGraphOf(answerOf({ 'input->a0.h0': 1, 'a0.h0->logits': 1, 'logits.b->logits': 0 }, { settings: {} }));
    expect(graph.by).toBe('head');
    expect(graph.edges).toHaveLength(2);
    expect(graph.nodes.map(({ name, position }) => [name, position])).toEqual([
      ['input', null],
      ['a0.h0', null],
      ['logits', null],
    ]);
  });

  it('says how many flows there could be', () => {
    expect(possibleFlows({ layers: 1, heads: 2, hasMlp: false }, 3)).toBe(2 * 6);
    expect(possibleFlows({ layers: 2, heads: 2, hasMlp: true }, 3)).toBe(2 * 6 * (1 + 5));
  });

  it('names nodes shortly', () => {
    expect(shortNames(GRAPH, [])[indexOf('a1.h1@2')]).toBe('h1');
    expect(shortNames(GRAPH, [])[indexOf('m0.b@2')]).toBe('b');
  });
});

describe('the layout', () => {
  it('puts later stages higher, so that every edge goes upwards', () => {
    for (const { from, to, name } of GRAPH.edges) expect(LAYOUT.y[from]!, name).toBeGreaterThan(LAYOUT.y[to]!);
    expect(rowOf({ kind: 'mlp', layer: 1 }, { layers: 2, hasMlp: true })).toBe(4);
    expect(rowOf({ kind: 'head', layer: 1, head: 0 }, { layers: 2, hasMlp: false })).toBe(2);
    expect(LAYOUT.rows.map(({ label }) => label)).toEqual(['input', 'a0', 'm0', 'a1', 'm1', 'logits']);
  });

  it('puts tokens from left to right, nodes within their column, and no two in one place', () => {
    for (const [index, { position }] of GRAPH.nodes.entries()) {
      const column = LAYOUT.columns[position ?? 2]!;
      expect(Math.abs(LAYOUT.x[index]! - column.x)).toBeLessThan(column.width / 2);
    }
    const places = GRAPH.nodes.map((_, index) => `${LAYOUT.x[index]} ${LAYOUT.y[index]}`);
    expect(new Set(places).size).toBe(places.length);
    expect(LAYOUT.columns.every(({ x }, index) => index === 0 || x > LAYOUT.columns[index - 1]!.x)).toBe(true);
  });

  it('stays as it is when fewer edges are listed at a token', () => {
    const { 'a0.h1@2->m0@2': _, ...others } = FLOWS;
    const graph = flowGraphOf(answerOf(others));
    expect(layoutOf(graph, SIZES).columns).toHaveLength(3);
  });
});

describe('the threshold', () => {
  it('says how many edges it hides and how much of Σ|value| they hold, the unlisted ones included', () => {
    const { edges, hidden, nodes } = visibleOf(GRAPH, 0.75, 'all', NO_PINS);
    expect(namesOf(edges)).toEqual(['a1.h1@2->logits', 'a0.h0@1->a1.h1@2', 'input@0->a0.h0@1', 'm0@2->logits']);
    expect(hidden.edges).toBe(16);
    expect(hidden.share).toBeCloseTo(1 - 6.75 / 10, 12);
    expect(nodes[indexOf('m0.b@2')]).toBe(false);
  });

  it('shows signs and pinned nodes alone where asked', () => {
    expect(namesOf(visibleOf(GRAPH, 0, 'negative', NO_PINS).edges)).toEqual(['input@1->a0.h1@2', 'a0.h1@2->m0@2']);
    const pinned = visibleOf(GRAPH, 0, 'pinned', new Set(['m0@2']));
    expect(namesOf(pinned.edges)).toEqual(['m0@2->logits', 'a0.h1@2->m0@2', 'm0.b@2->m0@2']);
    expect(pinned.nodes[indexOf('input@0')]).toBe(false);
    expect(visibleOf(GRAPH, 9, 'all', new Set(['m0@2'])).nodes[indexOf('m0@2')]).toBe(true);
  });

  it('hides nothing where all edges are listed and shown', () => {
    const mass = Object.values(FLOWS).reduce((sum, value) => sum + Math.abs(value), 0);
    const whole = flowGraphOf(answerOf(FLOWS, { extent: { edges: 8, mass, unlisted: 0 } }));
    expect(visibleOf(whole, 0, 'all', NO_PINS).hidden).toEqual({ edges: 0, share: 0 });
  });

  it('stands on the slider where it came from', () => {
    for (const step of [0, 1, 250, 999, 1000]) expect(Math.abs(stepOf(GRAPH, thresholdAt(GRAPH, step)) - step)).toBeLessThanOrEqual(1);
    expect(thresholdAt(GRAPH, 0)).toBe(0);
    expect(thresholdAt(GRAPH, 1000)).toBe(3);
    const odd = {
      edges: [
        { ...GRAPH.edges[0]!, value: 5.6261 },
        { ...GRAPH.edges[1]!, value: 0.00123456 },
      ],
    };
    expect(thresholdAt(odd, 1000)).toBe(5.62);
    expect(thresholdAt(odd, 1)).toBeLessThan(0.00126);
    expect(firstThreshold(GRAPH)).toBe(0.0625);
    expect(firstThreshold({ edges: [] })).toBe(0);
  });

  it('is read from an address with care', () => {
    expect(parseThreshold('0.05')).toBe(0.05);
    expect(parseThreshold('1.5e-7')).toBe(1.5e-7);
    for (const text of [null, '', '-1', 'NaN', 'Infinity', '1e999', 'x']) expect(parseThreshold(text), String(text)).toBeNull();
  });
});

describe('what is under the cursor', () => {
  const shown = { layout: LAYOUT, edges: GRAPH.edges, visible: ALL.edges, nodes: ALL.nodes };
  const at = (edge: number, t: number) => {
    const { from, to } = GRAPH.edges[edge]!;
    const [x1, y1, x2, y2] = [LAYOUT.x[from]!, LAYOUT.y[from]!, LAYOUT.x[to]!, LAYOUT.y[to]!];
    return { x: x1 + (x2 - x1) * t * t * (3 - 2 * t), y: y1 + (y2 - y1) * t };
  };

  it('is a node near it, else an edge near it, else nothing', () => {
    const node = indexOf('a0.h0@1');
    expect(hitOf(shown, LAYOUT.x[node]! + 3, LAYOUT.y[node]! - 2, 6)).toEqual({ kind: 'node', index: node });
    const edge = edgeOf('a0.h0@1->a1.h1@2');
    const { x, y } = at(edge, 0.4);
    expect(hitOf(shown, x + 2, y, 6)).toEqual({ kind: 'edge', index: edge });
    expect(hitOf(shown, -200, 10, 6)).toBeNull();
  });

  it('is no edge or node that is not shown', () => {
    const few = visibleOf(GRAPH, 2.5, 'all', NO_PINS);
    const { x, y } = at(edgeOf('input@0->a0.h0@1'), 0.5);
    expect(hitOf({ ...shown, visible: few.edges, nodes: few.nodes }, x, y, 6)).toBeNull();
    const node = indexOf('input@0');
    expect(hitOf({ ...shown, visible: few.edges, nodes: few.nodes }, LAYOUT.x[node]!, LAYOUT.y[node]!, 6)).toBeNull();
  });

  it('is found along the curve that is drawn', () => {
    fc.assert(
      fc.property(
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: -500, max: 500 }),
        fc.integer({ min: 40, max: 900 }),
        (t, dx, dy) => {
          const [first, second] = handlesOf(0, dy);
          const bezier = (a: number, b: number, c: number, d: number) =>
            (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t ** 3 * d;
          expect(distanceTo(bezier(0, 0, dx, dx), bezier(0, first, second, dy), 0, 0, dx, dy)).toBeLessThan(0.01);
        },
      ),
    );
    expect(distanceTo(0, 5, 0, 0, 10, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is found among ten thousand edges within a frame', () => {
    const edges = Array.from({ length: 10_000 }, (_, index) => ({ ...GRAPH.edges[index % GRAPH.edges.length]! }));
    const visible = edges.map((_, index) => index);
    const started = performance.now();
    for (let i = 0; i < 50; i++) hitOf({ ...shown, edges, visible }, i, 2 * i, 6);
    expect((performance.now() - started) / 50).toBeLessThan(60);
  });
});

describe('the camera', () => {
  const view = { width: 800, height: 600 };
  const camera = { x: 100, y: 50, zoom: 2 };

  it('keeps what is under the cursor there while it zooms', () => {
    const before = toPlane(camera, 123, 456, view);
    const after = toPlane(zoomed(camera, 1.7, 123, 456, view), 123, 456, view);
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
    expect(zoomed(camera, 1e9, 0, 0, view).zoom).toBe(8);
  });

  it('moves by pixels, and stays on the content', () => {
    const { x, y } = toView(panned(camera, 30, -10), 100, 50, view);
    expect([x, y]).toEqual([430, 290]);
    expect(kept({ x: -50, y: 9e9, zoom: 1 }, { width: 10, height: 20 })).toEqual({ x: 0, y: 20, zoom: 1 });
  });

  it('fits all of it', () => {
    const content = { width: 3000, height: 900 };
    const at = fitted(content, view);
    for (const [x, y] of [
      [0, 0],
      [3000, 900],
    ] as const) {
      const place = toView(at, x, y, view);
      expect(place.x).toBeGreaterThanOrEqual(0);
      expect(place.x).toBeLessThanOrEqual(800);
      expect(place.y).toBeGreaterThanOrEqual(0);
    }
  });

  it('stands in the address', () => {
    expect(parseCamera(printCamera(camera))).toEqual(camera);
    for (const text of [null, '', '1,2', '1,2,0', '1,2,-3', 'a,b,c', '1,2,3,4', '1e9,2,3'])
      expect(parseCamera(text), String(text)).toBeNull();
    expect(parseCamera('1,2,999')?.zoom).toBe(8);
  });
});

describe('mechanisms', () => {
  const mechanism = { anchor: 'group:g1', name: 'copying', members: ['a0.h0@1', 'a1.h1', 'm9'] };
  const graph = folded(GRAPH, [mechanism]);

  it('hold nodes, and nodes at every token where they name none', () => {
    expect(nodesOf(GRAPH, mechanism).map((index) => GRAPH.nodes[index]!.name)).toEqual(['a0.h0@1', 'a1.h1@2']);
  });

  it('are drawn as one node, with edges that are sums, and none within', () => {
    expect(graph.nodes).toHaveLength(GRAPH.nodes.length - 1);
    const names = graph.edges.map(({ name }) => name);
    expect(names).toContain('input@0->group:g1');
    expect(names).toContain('group:g1->logits');
    expect(names).not.toContain('a0.h0@1->a1.h1@2');
    const both = folded(GRAPH, [{ ...mechanism, members: ['m0', 'a1.h1'] }]);
    expect(both.edges.find(({ name }) => name === 'group:g1->logits')).toMatchObject({ value: 3.75, count: 2 });
  });

  it('stand in the middle of their nodes; everything else stays', () => {
    const layout = foldedLayout(GRAPH, LAYOUT, graph);
    const group = graph.nodes.findIndex(({ name }) => name === 'group:g1');
    expect(layout.x[group]).toBeCloseTo((LAYOUT.x[indexOf('a0.h0@1')]! + LAYOUT.x[indexOf('a1.h1@2')]!) / 2, 9);
    const input = graph.nodes.findIndex(({ name }) => name === 'input@1');
    expect(layout.x[input]).toBe(LAYOUT.x[indexOf('input@1')]);
  });

  it('without nodes in the graph change nothing', () => {
    expect(folded(GRAPH, [{ ...mechanism, members: ['m9', 'a0.h0->logits'] }])).toBe(GRAPH);
  });
});

describe('what a cursor lights', () => {
  it('is the same object without positions, and the paths through a node or an edge', () => {
    expect(lights('a1.h1@2->logits', 'a1.h1->logits')).toBe(true);
    expect(lights('a0.h0@1->a1.h1@2', 'input->a0.h0->a1.h1->logits')).toBe(true);
    expect(lights('a0.h0', 'a0.h0->m1->logits')).toBe(true);
    expect(lights('a0.h0@1', 'a0.h0->m1->logits')).toBe(true);
    expect(lights('a0.h1', 'a0.h10->logits')).toBe(false);
    expect(lights('a0.h0->a1.h1', 'a0.h0->m0->a1.h1->logits')).toBe(false);
    expect(lights('a1.h1->logits', 'input->a1.h1->logits')).toBe(false);
    expect(lights('logits', 'a1.h1->logits')).toBe(false);
    expect(lights('group:g1', 'a1.h1->logits')).toBe(false);
  });

  it('is in the graph the edges along a path, an edge, or those of a node', () => {
    const lit = litIn(GRAPH, ALL.edges, 'input->a0.h0->a1.h1->logits');
    expect(namesOf(lit.edges)).toEqual(['a1.h1@2->logits', 'a0.h0@1->a1.h1@2', 'input@0->a0.h0@1']);
    expect(lit.nodes.size).toBe(4);
    expect(namesOf(litIn(GRAPH, ALL.edges, 'a0.h1@2->m0@2').edges)).toEqual(['a0.h1@2->m0@2']);
    expect(litIn(GRAPH, ALL.edges, 'm0').edges.size).toBe(3);
    expect(litIn(GRAPH, ALL.edges, 'm0@1').nodes.size).toBe(0);
    expect(litIn(GRAPH, ALL.edges, 'token:1').nodes.size).toBe(0);
    expect(litIn(GRAPH, ALL.edges, null).edges.size).toBe(0);
    expect(stopsOf('a0.h0<q>->m1')).toEqual(['a0.h0', 'm1']);
  });
});

describe('walking', () => {
  const shown = { layout: LAYOUT, edges: GRAPH.edges, visible: ALL.edges, nodes: ALL.nodes };

  it('goes along the largest edge, and to the neighbour', () => {
    const start = startOf(shown)!;
    expect(GRAPH.nodes[start]!.name).toBe('logits');
    const below = walked(shown, start, 'down')!;
    expect(GRAPH.nodes[below]!.name).toBe('a1.h1@2');
    expect(walked(shown, below, 'up')).toBe(start);
    expect(walked(shown, start, 'up')).toBeNull();
    expect(GRAPH.nodes[walked(shown, indexOf('input@0'), 'right')!]!.name).toBe('input@1');
    expect(walked(shown, indexOf('input@0'), 'left')).toBeNull();
  });

  it('leaves out what is not shown', () => {
    const few = visibleOf(GRAPH, 2.5, 'all', NO_PINS);
    const some = { ...shown, visible: few.edges, nodes: few.nodes };
    expect(walked(some, indexOf('a1.h1@2'), 'down')).toBeNull();
    expect(startOf({ ...shown, visible: [] })).toBeNull();
  });
});
