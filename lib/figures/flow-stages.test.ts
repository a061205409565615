import { expect, it } from 'vitest';
import { answerTo } from '../../server/testing/fake-engine.ts';
import type { Answer } from '../engine/index.ts';
import { stagesFigure } from './flow-stages.ts';

const flow = (edges: Record<string, number>): Answer => ({
  ...answerTo({ view: 'flow', model: 'toy' }),
  terms: Object.entries(edges).map(([name, value]) => ({ name, value })),
});
const FLOW = { 'input->a0.h1': 1, 'a0.h1->m0': -0.5, 'm0->logits': 2, 'a0.b->logits': 0.25, 'logits.b->logits': 0.125 };
const placesOf = (svg: string) =>
  new Map([...svg.matchAll(/data-node="([^"]+)"><rect x="[^"]+" y="([^"]+)"/g)].map(([, name = '', y]) => [name, Number(y)]));

it('has input below, then the stages as they read each other, logits on top', () => {
  const at = placesOf(stagesFigure(flow(FLOW)));
  expect([...at.keys()].sort()).toEqual(['a0.b', 'a0.h1', 'input', 'logits', 'logits.b', 'm0']);
  const order = ['input', 'a0.h1', 'm0', 'logits.b', 'logits'].map((name) => at.get(name)!);
  expect(order).toEqual(order.toSorted((a, b) => b - a));
  expect(at.get('a0.b')).toBe(at.get('a0.h1'));
});

it('draws an edge as wide as its flow is large, in the colour of its sign', () => {
  const svg = stagesFigure(flow(FLOW));
  const style = (name: string) => new RegExp(`data-edge="${name.replace('->', '-&gt;')}"[^>]*style="([^"]+)"`).exec(svg)?.[1] ?? '';
  const width = (name: string) => Number(/stroke-width:([\d.]+)/.exec(style(name))?.[1]);
  expect(width('m0->logits')).toBeGreaterThan(width('input->a0.h1'));
  expect([style('a0.h1->m0').includes('--negative'), style('m0->logits').includes('--positive')]).toEqual([true, true]);
});

it('says in words what it shows, and how many edges it leaves out', () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, head) => [`input->a0.h${head}`, head + 1]));
  const svg = stagesFigure(flow(many));
  expect(svg).toContain('Flow along the 40 largest edges');
  expect(svg.match(/data-edge=/g)).toHaveLength(40);
  expect(svg).toContain('input-&gt;a0.h59 +60.000; input-&gt;a0.h58 +59.000');
});
