import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunAnswer, Term } from './engine/index.ts';
import { ADDRESS_LIMIT, unpackOpen } from './trie-address.ts';
import { trieRows } from './trie-rows.ts';
import { UnravelState } from './unravel.ts';

const LAYERS = 12;
const HEADS = 12;

/** What a model of twelve layers of twelve heads would answer: the parts of a suffix add up to it. */
function splitOf(parent: string, value: number): Term[] {
  const first = parent.split('->')[0]!;
  const layers = first === 'logits' ? LAYERS : Number(/^a(\d+)/.exec(first)![1]);
  const names = Array.from({ length: layers * HEADS }, (_, index) => `a${Math.floor(index / HEADS)}.h${index % HEADS}`);
  const parts = names.length + 1;
  const whole = (parts * (parts + 1)) / 2;
  return ['input', ...names].map((name, index) => ({
    name: `${name}->${parent}`,
    parent,
    value: (value * (index + 1)) / whole,
    open: name !== 'input',
    degree: parent.split('->').length - Number(name === 'input'),
  }));
}

const start = () => new UnravelState({ metric: 2, terms: splitOf('logits', 2) } as RunAnswer);

/** Opens largest first until there are so many nodes. */
function opened(nodes: number): UnravelState {
  const state = start();
  while (state.trie.size < nodes) {
    state.grow({ terms: state.trie.largestUnopened(64).flatMap(({ name, value }) => splitOf(name, value)) });
  }
  return state;
}

const NO_LABELS = () => [];

describe('what one person has opened', () => {
  it('stays a partition of the metric at a hundred thousand rows', () => {
    const state = opened(100_000);
    const { error, complete, unopened } = state.seen.partition;
    expect(error).toBeLessThan(1e-9);
    expect(complete.count + unopened.count).toBeGreaterThan(90_000);
  });

  it('opens a suffix among a hundred thousand rows for a fraction of what all of them cost', () => {
    const state = opened(100_000);
    const all = allNames(state);
    state.expand(all, all);
    expect(state.seen.rows.length).toBeGreaterThan(90_000);
    const disclosure = { expanded: new Set(all), unfolded: new Set(all), wanted: null };
    const anew = median(Array.from({ length: 9 }, () => timeOf(() => trieRows(state.trie, disclosure))));
    const one = median(
      state.trie.largestUnopened(40).map(({ name, value }) => {
        const terms = splitOf(name, value);
        return timeOf(() => state.grow({ terms }));
      }),
    );
    expect(one).toBeLessThan(anew / 2);
  });

  it('changes rows below one suffix as if all were made anew', () => {
    const state = opened(5_000);
    const [largest] = state.trie.largestUnopened(1);
    state.reveal(largest!.name);
    state.grow({ terms: splitOf(largest!.name, largest!.value) });
    const before = state.seen.rows;
    state.toggle(largest!.name);
    state.toggle(largest!.name);
    expect(state.seen.rows).toEqual(before);
    const { expanded, unfolded } = unpackOpen(state.open);
    expect(trieRows(state.trie, { expanded: new Set(expanded), unfolded: new Set(unfolded), wanted: null })).toEqual(before);
  });

  it('is written into an address and read back, unfolded or not', () => {
    const state = start();
    expect(state.open).toBe('');
    state.grow({ terms: splitOf('a11.h11->logits', 1) });
    state.grow({ terms: splitOf('a3.h2->a11.h11->logits', 1) });
    state.grow({ terms: splitOf('a5.h0->logits', 1) });
    state.unfold('a3.h2->a11.h11->logits');
    state.unfold('logits');
    expect(state.open).toBe('Ua11-11*a3-2U.a5-0');
    expect(unpackOpen(state.open)).toEqual({
      expanded: ['logits', 'a11.h11->logits', 'a3.h2->a11.h11->logits', 'a5.h0->logits'],
      unfolded: ['logits', 'a3.h2->a11.h11->logits'],
    });
  });

  it('keeps an address within its limit, the largest suffixes in it', () => {
    const state = opened(100_000);
    expect(state.open.length).toBeLessThanOrEqual(ADDRESS_LIMIT);
    expect(unpackOpen(state.open).expanded.length).toBeGreaterThan(500);
  });

  it('reads whatever an address says without failing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a1-2', 'm0', 'U', '*', '.', 'x', 'a-'), { maxLength: 60 }), (parts) => {
        const { expanded, unfolded } = unpackOpen(parts.join(''));
        expect(expanded[0]).toBe('logits');
        expect([...expanded, ...unfolded].every((name) => name.endsWith('logits'))).toBe(true);
      }),
    );
    expect(unpackOpen('m0*'.repeat(30_000)).expanded.length).toBeLessThanOrEqual(501);
  });

  it('filters by name, label and share', () => {
    const state = start();
    const rowNames = () => state.seen.rows.map((row) => (row.kind === 'path' ? row.node.name : row.why));
    state.filter({ text: 'a3.H2-', share: 0, labelsOf: NO_LABELS });
    expect(rowNames()).toEqual(['logits', 'a3.h2->logits', 'filtered']);
    state.filter({ text: 'copies', share: 0, labelsOf: (name) => (name === 'a0.h1->logits' ? ['it Copies'] : []) });
    expect(rowNames()).toEqual(['logits', 'a0.h1->logits', 'filtered']);
    state.filter({ text: '', share: 0.0135, labelsOf: NO_LABELS });
    expect(rowNames().slice(0, 3)).toEqual(['logits', 'a11.h11->logits', 'a11.h10->logits']);
    expect(rowNames().at(-1)).toBe('filtered');
    state.filter(null);
    expect(rowNames().at(-1)).toBe('small');
  });
});

function allNames(state: UnravelState): string[] {
  const names: string[] = [];
  const visit = (name: string): void => {
    const node = state.trie.get(name)!;
    if (node.children === null) return;
    names.push(name);
    for (const child of node.children) visit(child.name);
  };
  visit('logits');
  return names;
}

function timeOf(work: () => unknown): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}

function median(times: readonly number[]): number {
  return times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)]!;
}
