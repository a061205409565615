import { expect, test } from 'vitest';
import type { Snapshot } from '../lib/snapshot.ts';
import { cardOf } from './card.ts';
import { createDrawPng } from './draw-png.ts';
import { answerTo } from './testing/fake-engine.ts';

/** What a link to a published page shows of it. */

const author = { id: 'author-1', name: 'Author 1' };
const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  slug: 'a-page',
  version: 1,
  title: 'A page',
  question: 'Why?',
  findings: '',
  authors: [author.name],
  publishedAt: 0,
  setup: { model: 'toy', prompt: 'When Mary', counterfactual: null, position: null, target: null, foil: null },
  partition: answerTo({ view: 'paths', model: 'toy' }),
  degrees: answerTo({ view: 'degrees', model: 'toy' }),
  labels: [],
  threads: [],
  claims: [],
  runs: [],
  ...change,
});

test('it shows title, question, authors and the largest paths with their numbers', () => {
  const svg = cardOf(snapshot());
  for (const text of ['A page', 'Why?', 'Author 1', 'input-&gt;a0.h0-&gt;logits', '+1.750', '87.5%', '= 2.000'])
    expect(svg).toContain(text);
});

test('what is too long is cut, and what looks like markup is text', () => {
  const svg = cardOf(snapshot({ title: 'word '.repeat(100), question: `${'x'.repeat(400)} <script>`, authors: ['<b>'] }));
  expect(svg).toContain('…');
  expect(svg).not.toMatch(/<script|<b>/);
  expect(svg.match(/<text/g)!.length).toBeLessThan(30);
});

test('it becomes a PNG without a font of the machine: letters, signs and arrows leave ink', async () => {
  const draw = createDrawPng();
  const blank = await draw(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 80" width="400" height="80"><rect width="400" height="80" fill="#fff"/></svg>',
  );
  for (const text of ['Straße', '−1.5 → Σ ≤', 'Ωмега']) {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 80" width="400" height="80" font-family="DejaVu Sans"><rect width="400" height="80" fill="#fff"/><text x="10" y="50" font-size="40">${text}</text></svg>`;
    expect((await draw(svg)).length).toBeGreaterThan(blank.length + 500);
  }
});
