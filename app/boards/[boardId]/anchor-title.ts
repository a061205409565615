'use client';
import { readAnchor } from '@/lib/board/anchors.ts';
import { readGroups } from '@/lib/board/board-doc.ts';
import { readClaims } from '@/lib/board/discussion-doc.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { causalRequestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useAnswer } from './use-answer.ts';
import { useLive } from './use-live.ts';

/** What an anchor is called on the screen: its name in the engine's grammar, or what people wrote. */
export function useAnchorTitle(anchor: string): string {
  return useAnchorTitles()(anchor);
}

export function useAnchorTitles(): (anchor: string) => string {
  const { session, runs, setup } = useBoard();
  const groups = useLive(session.boardDoc, readGroups).records;
  const claims = useLive(session.discussionDoc, readClaims).records;
  // The board's own answer, which is there already.
  const { answer } = useAnswer(causalRequestOf(setup, 'suffixes', { byToken: true }));
  const words = strings.anchors;

  return (anchor) => {
    const read = readAnchor(anchor);
    switch (read?.kind) {
      case 'token':
        return words.token(visibleToken(answer?.tokenTexts?.[read.position] ?? ''), read.position);
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
