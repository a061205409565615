'use client';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { tokenAnchor } from '@/lib/board/anchors.ts';
import { visibleToken } from '@/lib/figures/numbers.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard, useDiscussion } from './board-context.tsx';

/** Chooses a token to talk about. The strip beside it chooses where the logits are read. */
export function TokenSelect({ answer }: { answer: RunAnswer }) {
  const { session, select, selection } = useBoard();
  const { threads, comments } = useDiscussion(session);
  const said = (anchor: string) => {
    const here = threads.filter((thread) => thread.anchor === anchor);
    return comments.filter((comment) => here.some((thread) => thread.id === comment.threadId)).length;
  };
  const anchors = answer.tokens.map((_, position) => tokenAnchor(position));
  const shown = anchors.find((anchor) => anchor === selection) ?? '';

  return (
    <select
      aria-label={strings.anchors.chooseToken}
      title={strings.anchors.chooseToken}
      value={shown}
      onChange={(event) => select(event.target.value === '' ? null : event.target.value)}
      className="w-28 shrink-0 rounded-[3px] border border-line bg-paper px-1 py-0.5 text-xs text-soft"
    >
      <option value="">{strings.anchors.noToken}</option>
      {anchors.map((anchor, position) => {
        const count = said(anchor);
        return (
          <option key={anchor} value={anchor}>
            {position}: {visibleToken(answer.tokenTexts?.[position] ?? String(answer.tokens[position]))}
            {count > 0 ? ` (${strings.unravel.comments(count)})` : ''}
          </option>
        );
      })}
    </select>
  );
}
