'use client';
import { useEffect, useRef } from 'react';
import { readAnchor } from '@/lib/board/anchors.ts';
import { tokensOf } from '@/lib/trie.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useHovered } from './links.ts';
import type { Unravel } from './use-unravel.ts';

/** Long enough that a cursor on its way asks for nothing. */
const PAUSE_MS = 200;

/**
 * While a path is under the cursor, in whatever view, the token strip shows which tokens it comes from; while a token is,
 * the rows of paths show what comes from it.
 */
export function PathPaint({ unravel: { trie, learn } }: { unravel: Unravel }) {
  const { links, paint } = useBoard();
  const owner = useRef({});
  const hovered = useHovered(links);
  const node = hovered === null ? null : (trie?.get(hovered) ?? null);
  const values = node && tokensOf(node);
  const isToken = hovered !== null && readAnchor(hovered)?.kind === 'token';
  const unknown = node && values === null ? (node.open ? node.name : (node.parent?.name ?? null)) : null;

  useEffect(() => {
    if (unknown === null && !isToken) return;
    const timer = setTimeout(() => (unknown === null ? learn() : learn([unknown])), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [unknown, isToken, learn]);

  useEffect(() => {
    const self = owner.current;
    if (hovered === null || values === null) return;
    paint.show(self, { label: strings.unravel.from(hovered), values });
    return () => paint.clear(self);
  }, [hovered, values, paint]);
  return null;
}
