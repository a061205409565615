import { describe, expect, it } from 'vitest';
import type { Answer, Term } from './engine/index.ts';
import { ROOT, ancestorsOf, emptyTrie, growTrie, partitionOf, trieRows } from './trie.ts';

const answer = (terms: Term[]) => ({ terms }) as unknown as Answer;
const root = answer([
  { name: 'input->logits', parent: 'logits', value: 0.25, open: false },
  { name: 'a0.h0->logits', parent: 'logits', value: -1, open: true },
  { name: 'm0->logits', parent: 'logits', value: 2, open: true },
]);
const NOTHING: ReadonlySet<string> = new Set();

describe('the trie of suffixes [M12]', () => {
  it('partitions the metric into complete paths and unopened suffixes', () => {
    const trie = growTrie(emptyTrie(1.25), root);
    expect(partitionOf(trie, 1.25)).toEqual({ complete: { count: 1, value: 0.25 }, unopened: { count: 2, value: 1 }, error: 0 });
  });

  it('keeps the partition when a suffix is opened', () => {
    const opened = answer([
      { name: 'input->m0->logits', parent: 'm0->logits', value: 1.5, open: false },
      { name: 'a0.h0->m0->logits', parent: 'm0->logits', value: 0.5, open: true },
    ]);
    const trie = growTrie(growTrie(emptyTrie(1.25), root), opened);
    expect(partitionOf(trie, 1.25)).toEqual({ complete: { count: 2, value: 1.75 }, unopened: { count: 2, value: -0.5 }, error: 0 });
    expect(trie.get('m0->logits')).toMatchObject({ value: 2, degree: 1, children: ['input->m0->logits', 'a0.h0->m0->logits'] });
  });

  it('shows an error where the parts are not the whole', () => {
    expect(partitionOf(growTrie(emptyTrie(1.5), root), 1.5).error).toBe(0.25);
  });

  it('names what must be open for a path to be listed', () => {
    expect(ancestorsOf('input->a0.h0->m0->logits')).toEqual(['logits', 'm0->logits', 'a0.h0->m0->logits']);
    expect(ancestorsOf(ROOT)).toEqual([]);
  });

  it('lists children by size under what is open', () => {
    const trie = growTrie(emptyTrie(1.25), root);
    const closed = trieRows(trie, { expanded: NOTHING, unfolded: NOTHING });
    expect(closed.map((row) => row.kind === 'path' && row.node.name)).toEqual(['logits']);
    const open = trieRows(trie, { expanded: new Set([ROOT]), unfolded: NOTHING });
    expect(open.map((row) => row.kind === 'path' && row.node.name)).toEqual(['logits', 'm0->logits', 'a0.h0->logits', 'input->logits']);
  });

  it('folds the smaller children into a row that is their own sum', () => {
    const many = answer(
      Array.from({ length: 20 }, (_, head) => ({ name: `a0.h${head}->logits`, parent: 'logits', value: 1 / (head + 1), open: true })),
    );
    const trie = growTrie(emptyTrie(0), many);
    const rows = trieRows(trie, { expanded: new Set([ROOT]), unfolded: NOTHING });
    const fold = rows.at(-1)!;
    expect(rows).toHaveLength(14);
    expect(fold).toMatchObject({ kind: 'fold', count: 8, parent: 'logits' });
    expect(fold.kind === 'fold' && fold.value).toBeCloseTo(
      [13, 14, 15, 16, 17, 18, 19, 20].reduce((sum, k) => sum + 1 / k, 0),
      12,
    );
    expect(trieRows(trie, { expanded: new Set([ROOT]), unfolded: new Set([ROOT]) })).toHaveLength(21);
  });

  it('makes an unlisted suffix the sum of its children', () => {
    const leaves = answer([
      { name: 'input->m0->logits', parent: 'm0->logits', value: 1.5, open: false },
      { name: 'a0.h0->m0->logits', parent: 'm0->logits', value: 0.5, open: true },
    ]);
    const trie = growTrie(emptyTrie(2), leaves);
    expect(trie.get('m0->logits')?.value).toBe(2);
    expect(trie.get(ROOT)?.children).toEqual(['m0->logits']);
  });
});
