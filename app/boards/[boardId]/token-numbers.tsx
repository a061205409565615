'use client';
import { useEffect } from 'react';
import { TOKENLESS, tokensOf, type Trie, type TrieNode } from '@/lib/trie.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { NumberLine } from './number-lines.tsx';
import { Pedigree } from './pedigree.tsx';
import type { Unravel } from './use-unravel.ts';
import { ValueList, type ListedValue } from './value-list.tsx';

const LISTED = 12;

interface TokenNumbersProps {
  position: number;
  unravel: Unravel;
}

/** What comes from a token: of every listed path the part whose source wrote there, of every suffix what it reads there. */
export function TokenNumbers({ position, unravel: { trie, answer, learn } }: TokenNumbersProps) {
  useEffect(() => learn(), [learn]);
  if (!trie || !answer || position >= answer.tokens.length) return null;
  const { split, unsplit } = leavesAt(trie, position);
  const total = split.reduce((sum, { value }) => sum + value, 0);
  const shown = split.toSorted((left, right) => Math.abs(right.value) - Math.abs(left.value));
  const rest = shown.slice(LISTED).reduce((sum, { value }) => sum + value, 0);
  const words = strings.parts.token;
  const others: ListedValue[] =
    shown.length > LISTED ? [{ name: strings.parts.node.others(shown.length - LISTED), value: rest, anchor: null }] : [];
  return (
    <Section title={words.title}>
      <NumberLine name={words.total} kind="identity" value={total} whole={answer.metric} testId="token-total" />
      <p className="mb-1.5 text-2xs text-soft">{unsplit === 0 ? words.meaning : words.some(unsplit)}</p>
      <ValueList label={words.title} values={[...shown.slice(0, LISTED), ...others]} />
      <Pedigree answer={answer} />
    </Section>
  );
}

/** The leaves of the trie as far as it is known from which tokens they come. */
function leavesAt(trie: Trie, position: number): { split: ListedValue[]; unsplit: number } {
  const split: ListedValue[] = [];
  let unsplit = 0;
  const visit = (node: TrieNode): void => {
    if (node.children !== null) {
      for (const child of node.children) visit(child);
      return;
    }
    const values = tokensOf(node);
    if (values) split.push({ name: node.name, value: values[position] ?? 0, anchor: node.name });
    else if (node.name !== TOKENLESS) unsplit++;
  };
  visit(trie.root);
  return { split: split.filter(({ value }) => value !== 0), unsplit };
}
