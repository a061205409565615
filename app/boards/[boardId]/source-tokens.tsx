'use client';
import { useState } from 'react';
import { tokenAnchor } from '@/lib/board/anchors.ts';
import type { Answer, Term } from '@/lib/engine/index.ts';
import { formatSigned } from '@/lib/figures/numbers.ts';
import { parentOf, type TrieNode } from '@/lib/trie.ts';
import type { Setup } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { useBoard } from './board-context.tsx';
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

/**
 * A path's value by the token at which its source wrote; a suffix's by the token at which its first node reads,
 * which is where the paths that go on from there come from.
 */
export function SourceTokens({ path, node, answer, setup }: SourceTokensProps) {
  const { links, select } = useBoard();
  const [all, setAll] = useState(false);
  const parent = parentOf(path);
  const opened = node.open ? path : parent;
  const missing = opened !== null && (node.open || node.byToken === null);
  const split = useAnswer(missing ? requestOf(setup, 'suffixes', { paths: [opened], byToken: true }) : null, PAUSE_MS);
  const parts = split.stale ? [] : (split.answer?.terms ?? []).filter((term) => term.parent === opened);
  const values = node.open ? readBy(parts) : (node.byToken ?? parts.find((term) => term.name === path)?.byToken ?? null);
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
        <h4 className="text-xs text-soft">{node.open ? strings.inspector.byTokenRead : strings.inspector.byToken}</h4>
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
            <button
              type="button"
              onClick={() => select(tokenAnchor(index))}
              onPointerEnter={() => links.hover(tokenAnchor(index))}
              onPointerLeave={() => links.hover(null)}
              className="flex max-w-full justify-self-start rounded-[2px]"
            >
              <TokenChip text={answer.tokenTexts?.[index] ?? String(answer.tokens[index] ?? '')} className="truncate hover:bg-chosen" />
            </button>
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

/** Children's values added up token by token; null before they are known. */
function readBy(children: readonly Term[]): number[] | null {
  const split = children.flatMap(({ byToken }) => (byToken ? [byToken] : []));
  if (split.length === 0) return null;
  return split[0]!.map((_, token) => split.reduce((sum, values) => sum + values[token]!, 0));
}
