'use client';
import { partsOf } from '@/lib/board/mentions.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

/** Plain text; names of paths and nodes select what they name. */
export function CommentBody({ body }: { body: string }) {
  const { select } = useBoard();
  return (
    <p className="text-sm break-words whitespace-pre-wrap">
      {partsOf(body).map((part, index) => {
        if (part.kind === 'text') return part.text;
        if (part.kind === 'code') {
          return (
            <code key={index} className="rounded-[2px] bg-sunken px-1 font-mono text-[0.92em]">
              {part.text}
            </code>
          );
        }
        return (
          <button
            key={index}
            type="button"
            onClick={() => select(part.text)}
            title={strings.thread.show(part.text)}
            className="name rounded-[2px] bg-sunken px-1 text-left underline decoration-dotted underline-offset-2 hover:bg-chosen"
          >
            {part.text}
          </button>
        );
      })}
    </p>
  );
}
