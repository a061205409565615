import { describe, expect, it } from 'vitest';
import type { Answer, Term } from './engine/index.ts';
import { changedBelow, trieRows, type Disclosure } from './trie-rows.ts';
import { ROOT, Trie, ancestorsOf, tokensOf } from './trie.ts';

const answer = (terms: Term[]) => ({ terms }) as Answer;
const root = answer([
  { name: 'input->logits', parent: 'logits', value: 0.25, open: false },
  { name: 'a0.h0->logits', parent: 'logits', value: -1, open: true },
  { name: 'm0->logits', parent: 'logits', value: 2, open: true },
]);
const belowMlp = answer([
  { name: 'input->m0->logits', parent: 'm0->logits', value: 1.5, open: false },
  { name: 'a0.h0->m0->logits', parent: 'm0->logits', value: 0.5, open: true },
]);
const NOTHING: ReadonlySet<string> = new Set();

function grown(metric: number, ...answers: Answer[]): Trie {
  const trie = new Trie(metric);
  for (const each of answers) trie.grow(each);
  return trie;
}

const names = (trie: Trie, disclosure: Partial<Disclosure>) =>
  trieRows(trie, { expanded: new Set([ROOT]), unfolded: NOTHING, wanted: null, ...disclosure }).map((row) =>
    row.kind === 'path' ? row.node.name : `${row.count} ${row.why} ${row.value}`,
  );

describe('the trie of suffixes [M12]', () => {
  it('partitions the metric into complete paths and unopened suffixes', () => {
    expect(grown(1.25, root).partition).toEqual({
      complete: { count: 1, value: 0.25 },
      unopened: { count: 2, value: 1 },
      error: 0,
      massInPaths: 0.25 / 3.25,
    });
  });

  it('keeps the partition when a suffix is opened', () => {
    const trie = grown(1.25, root, belowMlp);
    expect(trie.partition).toMatchObject({ complete: { count: 2, value: 1.75 }, unopened: { count: 2, value: -0.5 }, error: 0 });
    expect(trie.get('m0->logits')).toMatchObject({ value: 2, degree: 1 });
    expect(trie.get('m0->logits')?.children?.map(({ name }) => name)).toEqual(['input->m0->logits', 'a0.h0->m0->logits']);
  });

  it('takes splits of several levels at once, whatever their order', () => {
    const trie = grown(1.25, answer([...belowMlp.terms, ...root.terms]));
    expect(trie.partition).toEqual(grown(1.25, root, belowMlp).partition);
  });

  it('keeps what is open when it hears of it again, and learns what each token adds', () => {
    const trie = grown(1.25, root, belowMlp);
    const again = trie.grow(answer(root.terms.map((term) => ({ ...term, byToken: [1, 2] }))));
    expect(again).toEqual([]);
    expect(trie.partition.complete).toEqual({ count: 2, value: 1.75 });
    expect(trie.get('m0->logits')).toMatchObject({ byToken: [1, 2], children: [{ value: 1.5 }, { value: 0.5 }] });
  });

  it('shows an error where the parts are not the whole', () => {
    expect(grown(1.5, root).partition.error).toBe(0.25);
  });

  it('refuses to split what is not listed', () => {
    expect(() => grown(2, belowMlp)).toThrow('expected splits of what is listed, got one of "m0->logits"');
  });

  it('knows the largest suffixes that are not opened', () => {
    const trie = grown(1.25, root, belowMlp);
    expect(trie.largestUnopened(5).map(({ name }) => name)).toEqual(['a0.h0->logits', 'a0.h0->m0->logits']);
  });

  it('names what must be open for a path to be listed', () => {
    expect(ancestorsOf('input->a0.h0->m0->logits')).toEqual(['logits', 'm0->logits', 'a0.h0->m0->logits']);
    expect(ancestorsOf(ROOT)).toEqual([]);
  });
});

describe('rows', () => {
  it('lists children by size under what is open', () => {
    const trie = grown(1.25, root);
    expect(names(trie, { expanded: NOTHING })).toEqual(['logits']);
    expect(names(trie, {})).toEqual(['logits', 'm0->logits', 'a0.h0->logits', 'input->logits']);
  });

  const many = answer(
    Array.from({ length: 20 }, (_, head) => ({ name: `a0.h${head}->logits`, parent: 'logits', value: 1 / (head + 1), open: true })),
  );

  it('folds the smaller children into a row that is their own sum', () => {
    const trie = grown(0, many);
    const fold = trieRows(trie, { expanded: new Set([ROOT]), unfolded: NOTHING, wanted: null }).at(-1)!;
    expect(names(trie, {})).toHaveLength(14);
    expect(fold).toMatchObject({ kind: 'fold', why: 'small', count: 8, parent: { name: 'logits' } });
    const rest = [13, 14, 15, 16, 17, 18, 19, 20].reduce((sum, k) => sum + 1 / k, 0);
    expect(fold.kind === 'fold' && fold.value).toBeCloseTo(rest, 12);
    expect(names(trie, { unfolded: new Set([ROOT]) })).toHaveLength(21);
  });

  it('keeps what is wanted and what is above it, and adds up the rest', () => {
    const trie = grown(1.25, root, belowMlp);
    const expanded = new Set([ROOT, 'm0->logits']);
    const wanted = ({ name }: { name: string }) => name.startsWith('a0.h0->m0');
    expect(names(trie, { expanded, wanted })).toEqual(['logits', 'm0->logits', 'a0.h0->m0->logits', '1 filtered 1.5', '2 filtered -0.75']);
    expect(names(trie, { expanded, wanted: () => false })).toEqual(['logits', '3 filtered 1.25']);
  });

  it('changes below one row as if all were made anew', () => {
    const trie = grown(1.25, root);
    const closed: Disclosure = { expanded: new Set([ROOT]), unfolded: NOTHING, wanted: null };
    const rows = trieRows(trie, closed);
    trie.grow(belowMlp);
    const open = { ...closed, expanded: new Set([ROOT, 'm0->logits']) };
    const opened = changedBelow(rows, trie.get('m0->logits')!, open);
    expect(opened).toEqual(trieRows(trie, open));
    expect(changedBelow(opened, trie.get('m0->logits')!, closed)).toEqual(rows);
  });
});

describe('where paths come from, token by token', () => {
  const split = (answer: Answer, tokens: Record<string, number[]>) => ({
    ...answer,
    terms: answer.terms.map((term) => (tokens[term.name] ? { ...term, byToken: tokens[term.name]! } : term)),
  });

  it('is what a suffix reads, as the sum of its parts, and what a path wrote', () => {
    const trie = grown(1.25, root);
    expect(tokensOf(trie.get('m0->logits')!)).toBeNull();
    trie.learn(split(belowMlp, { 'input->m0->logits': [1, 0.5], 'a0.h0->m0->logits': [0.5, 0] }));
    expect(tokensOf(trie.get('m0->logits')!)).toEqual([1.5, 0.5]);
    expect(trie.get('m0->logits')!.children).toBeNull();
    trie.learn(split(root, { 'input->logits': [0.25, 0] }));
    expect(tokensOf(trie.get('input->logits')!)).toEqual([0.25, 0]);
  });

  it('is asked for where it is not known, largest first', () => {
    const trie = grown(1.25, split(root, { 'input->logits': [0.25, 0] }), belowMlp);
    expect(trie.unlearned(9).map(({ name }) => name)).toEqual(['m0->logits', 'a0.h0->logits', 'a0.h0->m0->logits']);
    trie.learn(split(belowMlp, { 'input->m0->logits': [1, 0.5], 'a0.h0->m0->logits': [0.5, 0] }));
    expect(trie.unlearned(9).map(({ name }) => name)).toEqual(['a0.h0->logits', 'a0.h0->m0->logits']);
  });
});
