import { expect, test } from 'vitest';
import { bibtexOf, citationOf } from './citation.ts';

const CITED = {
  slug: 'long-paths',
  version: 2,
  title: 'Do 50% of paths matter? A_B & {C}',
  authors: ['Ada Lovelace', 'The Team'],
  publishedAt: Date.UTC(2026, 10, 5),
  url: 'https://example.org/p/long-paths/v2',
};

test('in a list of references', () => {
  expect(citationOf(CITED)).toBe(
    'Ada Lovelace, The Team. Do 50% of paths matter? A_B & {C}. Pathboard, version 2, 2026-11-05. https://example.org/p/long-paths/v2',
  );
  expect(citationOf({ ...CITED, title: 'Why?' })).toContain('. Why? Pathboard,');
});

test('as BibTeX, in which nothing of a title is a command', () => {
  expect(bibtexOf(CITED)).toBe(`@misc{long-paths-v2,
  author = {{Ada Lovelace} and {The Team}},
  title = {{Do 50\\% of paths matter? A\\_B \\& \\{C\\}}},
  year = {2026},
  month = {11},
  howpublished = {Pathboard, version 2},
  url = {https://example.org/p/long-paths/v2},
}
`);
  expect(bibtexOf({ ...CITED, title: '\\input{x} ~ ^ $' })).toContain(
    '{\\textbackslash{}input\\{x\\} \\textasciitilde{} \\textasciicircum{} \\$}',
  );
});
