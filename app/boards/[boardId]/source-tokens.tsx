'use client';
import { useState } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { formatSigned } from '@/lib/figures/numbers.ts';
import { parentOf, type TrieNode } from '@/lib/trie.ts';
import type { Setup } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { useAnswer } from './use-answer.ts';

interface SourceTokensProps {
  path: string;
  node: TrieNode;
  answer: Answer;
  setup: Setup;
}

/** Tokens below this part of the largest are added up in one row. */
const SMALL = 0.01;
const PAUSE_MS = 150;
const ROW = 'grid grid-cols-[1.5rem_minmax(0,6rem)_1fr_4rem] items-center gap-2 text-xs';

/** A path's value by the position at which its first node wrote. */
export function SourceTokens({ path, node, answer, setup }: SourceTokensProps) {
  const [all, setAll] = useState(false);
  const parent = parentOf(path);
  const missing = node.byToken === null && parent !== null;
  const split = useAnswer(missing ? requestOf(setup, 'suffixes', { paths: [parent], byToken: true }) : null, PAUSE_MS);
  const parts = split.stale ? [] : (split.answer?.terms ?? []);
  const values = node.byToken ?? parts.find((term) => term.name === path)?.byToken ?? null;
  if (!values) return null;

  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const places = values.map((value, index) => ({ value, index }));
  const isSmall = ({ value }: { value: number }) => Math.abs(value) < SMALL * scale || value === 0;
  const small = places.filter(isSmall);
  const folded = !all && small.length > 1;
  const shown = folded ? places.filter((place) => !isSmall(place)) : places;
  const rest = small.reduce((sum, { value }) => sum + value, 0);

  return (
    <div className="mt-2.5">
      <div className="mb-1 flex items-center justify-between">
        <h4 className="text-xs text-soft">{strings.inspector.byToken}</h4>
        {small.length > 1 ? (
          <Button tone="quiet" small aria-pressed={all} onClick={() => setAll(!all)}>
            {all ? strings.inspector.fewTokens : strings.inspector.allTokens}
          </Button>
        ) : null}
      </div>
      <ul className="grid gap-px" data-testid="by-token">
        {shown.map(({ value, index }) => (
          <li key={index} className={ROW}>
            <span className="text-right font-mono text-2xs text-soft">{index}</span>
            <TokenChip
              text={answer.tokenTexts?.[index] ?? String(answer.tokens[index] ?? '')}
              className="justify-self-start max-w-full truncate"
            />
            <SignedBar value={value} scale={scale} />
            <span className="text-right font-mono">{formatSigned(value)}</span>
          </li>
        ))}
        {folded ? (
          <li className={`${ROW} text-soft`}>
            <span />
            <span>{strings.inspector.otherTokens(small.length)}</span>
            <SignedBar value={rest} scale={scale} />
            <span className="text-right font-mono">{formatSigned(rest)}</span>
          </li>
        ) : null}
      </ul>
    </div>
  );
}
