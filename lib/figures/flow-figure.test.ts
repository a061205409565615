import { expect, it } from 'vitest';
import type { Answer } from '../engine/index.ts';
import { flowGraphOf } from '../graph/flow-graph.ts';
import { layoutOf } from '../graph/layout.ts';
import { visibleOf } from '../graph/threshold.ts';
import { shortNames } from '../graph/words.ts';
import { tableCsv, tableText } from './csv.ts';
import { FLOW_COLUMNS, flowFigure, flowRows } from './flow-figure.ts';

const graph = flowGraphOf({
  terms: [
    { name: 'input@0->a0.h0@1', value: 1.25 },
    { name: 'a0.h0@1->logits', value: -2 },
  ],
  settings: { positions: true },
} as unknown as Answer);
const { edges, nodes } = visibleOf(graph, 0, 'all', new Set());
const figure = {
  graph,
  layout: layoutOf(graph, { layers: 1, heads: 1, hasMlp: false, tokens: 2 }),
  edges,
  nodes,
  labels: shortNames(graph, []),
  columns: ['·<b>', 'a,"b"'],
  title: 'Flow & more',
  xTitle: 'token position',
  yTitle: 'layer',
  metric: -2,
};

it('is a document with a title, axes, words, and every edge and node that is shown', () => {
  const svg = flowFigure(figure);
  expect(svg).toContain('<title id="flow-title">Flow &amp; more</title>');
  expect(svg).toContain('2 edges, the largest: a0.h0@1-&gt;logits −2.000; input@0-&gt;a0.h0@1 +1.250.');
  expect(svg).toContain('token position');
  expect(svg).toContain('layer');
  expect(svg).toContain('·&lt;b&gt;');
  expect(svg.match(/<path d="M[^"]*C/g)).toHaveLength(2);
  expect(svg).toContain('a0.h0@1-&gt;logits: −2.000');
  expect(flowFigure({ ...figure, edges: [], nodes: nodes.map(() => false) })).not.toContain('<circle');
});

it('is a table at full precision', () => {
  const rows = flowRows(figure);
  expect(tableText(FLOW_COLUMNS, rows).split('\n')).toEqual([
    'from\ttoken\tto\ttoken\tflow (logits)\tshare of the metric\tedges',
    'a0.h0@1\ta,"b"\tlogits\t\t-2\t1\t1',
    'input@0\t·<b>\ta0.h0@1\ta,"b"\t1.25\t-0.625\t1',
  ]);
  expect(tableCsv(FLOW_COLUMNS, rows).split('\r\n')[1]).toBe('a0.h0@1,"a,""b""",logits,,-2,1,1');
});
