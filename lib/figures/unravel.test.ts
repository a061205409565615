import { expect, it } from 'vitest';
import type { RunAnswer, Term } from '../engine/index.ts';
import { trieRows } from '../trie-rows.ts';
import { Trie } from '../trie.ts';
import { tableCsv, tableText } from './csv.ts';
import { takenColumns, takenRows, takenTrie, unravelFigure, type TrieWords } from './unravel.ts';

const words: TrieWords = {
  title: 'The largest terms',
  others: (count) => `${count} others`,
  column: { name: 'path', kind: 'is', level: 'depth', degree: 'degree', value: 'value', share: 'share', labels: 'labels' },
  kinds: { path: 'path', opened: 'opened', suffix: 'suffix', rest: 'rest' },
};
const labelsOf = (name: string) => (name === 'm0->logits' ? ['a, b'] : []);
const answer = { foil: 1 } as RunAnswer;

function trieOf(count: number): Trie {
  const heads = Array.from({ length: count }, (_, head): Term => ({
    name: `a0.h${head}->logits`,
    parent: 'logits',
    value: 1 / 8,
    open: true,
  }));
  const trie = new Trie(2);
  trie.grow({ terms: [{ name: 'm0->logits', parent: 'logits', value: 1, open: true }, ...heads] });
  trie.grow({ terms: [{ name: 'input->m0->logits', parent: 'm0->logits', value: 1, open: false }] });
  return trie;
}

it('gives the rows of the screen, folds with their own sum, at full precision', () => {
  const trie = trieOf(20);
  const rows = trieRows(trie, { expanded: new Set(['logits']), unfolded: new Set(), wanted: null });
  const taken = takenRows(rows, 2, words, labelsOf);
  expect(taken[1]).toEqual({ name: 'm0->logits', kind: 'opened', level: 1, degree: 1, value: 1, share: 0.5, labels: 'a, b' });
  expect(taken.at(-1)).toEqual({
    name: '9 others ->logits',
    kind: 'rest',
    level: 1,
    degree: null,
    value: 9 / 8,
    share: 9 / 16,
    labels: '',
  });
  expect(tableCsv(takenColumns(words.column), taken).split('\r\n')[2]).toBe('m0->logits,opened,1,1,1,0.5,"a, b"');
  expect(tableText(takenColumns(words.column), taken).split('\n')[0]).toBe('path\tis\tdepth\tdegree\tvalue (logits)\tshare\tlabels');
});

it('gives every opened path, shown or not', () => {
  const all = takenTrie(trieOf(20), words, labelsOf);
  expect(all).toHaveLength(23);
  expect(all.find(({ name }) => name === 'input->m0->logits')).toMatchObject({ kind: 'path', level: 2 });
});

it('draws the largest leaves and the sum of all others', () => {
  const svg = unravelFigure(trieOf(40), answer, words);
  expect(svg).toContain('input-&gt;m0-&gt;logits +1.000');
  expect(svg).toContain('17 others +2.125');
  expect(svg).toContain('>logit difference (logits)</text>');
  expect(unravelFigure(trieOf(3), answer, words)).not.toContain('others');
});
