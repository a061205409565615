'use client';
import { readAnchor } from '@/lib/board/anchors.ts';
import { readGroups } from '@/lib/board/board-doc.ts';
import { readClaims } from '@/lib/board/discussion-doc.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

/**
 * What anchors are called on the screen: their names in the engine's grammar, or what people wrote. Tokens have their
 * text where it is given.
 */
export function useAnchorTitles(tokenTexts: readonly string[] = []): (anchor: string) => string {
  const { session, runs } = useBoard();
  const groups = useLive(session.boardDoc, readGroups).records;
  const claims = useLive(session.discussionDoc, readClaims).records;
  const words = strings.anchors;

  return (anchor) => {
    const read = readAnchor(anchor);
    switch (read?.kind) {
      case 'token':
        return words.token(visibleToken(tokenTexts[read.position] ?? ''), read.position);
      case 'feature':
        return read.name;
      case 'group':
        return groups.find((group) => group.id === read.id)?.name ?? words.group;
      case 'claim':
        return claims.find((claim) => claim.id === read.id)?.text ?? words.claim;
      case 'run':
        return words.run(runs.list.find((run) => run.id === read.id)?.view ?? '');
      default:
        return anchor;
    }
  };
}
