'use client';
import { useEffect, useRef } from 'react';
import { parentOf } from '@/lib/trie.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useHovered } from './links.ts';
import { useAnswer } from './use-answer.ts';
import type { Unravel } from './use-unravel.ts';

/** Long enough that a cursor on its way asks for nothing. */
const PAUSE_MS = 150;

/** While a path is under the cursor, in whatever view: the token strip shows which tokens it comes from. */
export function PathPaint({ unravel: { trie, requestOfSplit } }: { unravel: Unravel }) {
  const { links, paint } = useBoard();
  const owner = useRef({});
  const hovered = useHovered(links);
  const node = hovered === null ? null : (trie?.get(hovered) ?? null);
  const parent = node && node.byToken === null ? parentOf(node.name) : null;
  const { answer, stale } = useAnswer(parent === null ? null : requestOfSplit(parent), PAUSE_MS);
  const asked = stale ? undefined : answer?.terms.find(({ name }) => name === hovered);
  const values = node?.byToken ?? asked?.byToken ?? null;

  useEffect(() => {
    const self = owner.current;
    if (hovered === null || values === null) return;
    paint.show(self, { label: strings.unravel.from(hovered), values });
    return () => paint.clear(self);
  }, [hovered, values, paint]);
  return null;
}
