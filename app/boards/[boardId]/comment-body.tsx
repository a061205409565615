'use client';
import { Suspense, lazy } from 'react';
import { partsOf } from '@/lib/board/mentions.ts';
import type { Author } from '@/lib/wire.ts';
import { AnchorName } from './anchor-name.tsx';

const load = () => import('./comment-markdown.tsx').then(({ CommentMarkdown }) => ({ default: CommentMarkdown }));
// Without a connection comments stay as they are written.
const Formatted = lazy(() => load().catch(() => ({ default: Written })));
const NOBODY: readonly Author[] = [];

/** What a comment says; as it is written until what formats it is loaded. */
export function CommentBody({ body, mentions = NOBODY }: { body: string; mentions?: readonly Author[] }) {
  return (
    <Suspense fallback={<Written body={body} />}>
      <Formatted body={body} mentions={mentions} />
    </Suspense>
  );
}

function Written({ body }: { body: string; mentions?: readonly Author[] }) {
  return (
    <p className="text-sm break-words whitespace-pre-wrap">
      {partsOf(body).map((part, index) => {
        if (part.kind === 'text') return part.text;
        if (part.kind === 'anchor') return <AnchorName key={index} name={part.text} />;
        return (
          <code key={index} className="rounded-[2px] bg-sunken px-1 font-mono text-[0.92em]">
            {part.text}
          </code>
        );
      })}
    </p>
  );
}
