'use client';
import { isAnchor } from '@/lib/board/board-doc.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';

/** `code` between backticks, or a path or component written plainly. */
const PARTS =
  /(`[^`\n]+`)|((?:input|logits\.b|a\d+\.(?:h\d+|b)|m\d+(?:\.b)?)(?:->(?:a\d+\.h\d+(?:<[qkv]>)?|m\d+|logits))+|\ba\d+\.h\d+\b)/g;

interface Part {
  kind: 'text' | 'code' | 'anchor';
  text: string;
}

export function partsOf(body: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of body.matchAll(PARTS)) {
    if (match.index > end) parts.push({ kind: 'text', text: body.slice(end, match.index) });
    const text = match[1] ? match[1].slice(1, -1) : match[0];
    parts.push({ kind: isAnchor(text) ? 'anchor' : match[1] ? 'code' : 'text', text });
    end = match.index + match[0].length;
  }
  if (end < body.length) parts.push({ kind: 'text', text: body.slice(end) });
  return parts;
}

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
