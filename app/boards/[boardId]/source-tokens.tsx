'use client';
import type { Answer } from '@/lib/engine/index.ts';
import { formatSigned } from '@/lib/figures/numbers.ts';
import { parentOf, type TrieNode } from '@/lib/trie.ts';
import type { Setup } from '@/lib/wire.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { useAnswer } from './use-answer.ts';

interface SourceTokensProps {
  path: string;
  node: TrieNode;
  answer: Answer;
  setup: Setup;
}

/** A path's value by the position at which its first node wrote. */
export function SourceTokens({ path, node, answer, setup }: SourceTokensProps) {
  const parent = parentOf(path);
  const missing = node.byToken === null && parent !== null;
  const split = useAnswer(missing ? requestOf(setup, 'suffixes', { paths: [parent], byToken: true }) : null);
  const values = node.byToken ?? split.answer?.terms.find((term) => term.name === path)?.byToken ?? null;
  if (!values) return null;
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  return (
    <div className="mt-2.5">
      <h4 className="mb-1 text-xs text-soft">{strings.inspector.byToken}</h4>
      <ul className="grid max-h-56 gap-px overflow-y-auto">
        {values.map((value, index) => (
          <li key={index} className="grid grid-cols-[1.5rem_minmax(0,5rem)_1fr_4rem] items-center gap-2 text-xs">
            <span className="text-right font-mono text-2xs text-soft">{index}</span>
            <TokenChip text={answer.tokenTexts?.[index] ?? String(answer.tokens[index] ?? '')} className="truncate" />
            <SignedBar value={value} scale={scale} />
            <span className="text-right font-mono">{formatSigned(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
