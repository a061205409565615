'use client';
import { useId, useState } from 'react';
import { readThreads } from '@/lib/board/discussion-doc.ts';
import type { Claim, Evidence } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useAnchorTitles } from './anchor-title.ts';
import { useBoard } from './board-context.tsx';
import { ClaimSentence } from './claim-sentence.tsx';
import { EvidenceForm } from './evidence-form.tsx';
import { EvidenceItem } from './evidence-item.tsx';
import { StanceForm } from './stance-form.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { useLive } from './use-live.ts';
import { Disagreement, VerdictMark } from './verdict-mark.tsx';

/** One sentence, what people make of it, and what the numbers make of it. */
export function ClaimCard({ claim, evidence }: { claim: Claim; evidence: readonly Evidence[] }) {
  const { session, outbox, select, may } = useBoard();
  const anchor = `claim:${claim.id}`;
  const threads = useLive(session.discussionDoc, readThreads).records;
  const talked = [...threads, ...outbox.pending, ...outbox.held].some((one) => one.anchor === anchor);
  const [talking, setTalking] = useState(false);
  const [adding, setAdding] = useState(false);
  const titleOf = useAnchorTitles();
  const id = useId();

  return (
    <article aria-labelledby={id} data-claim={claim.id} className="rounded-[3px] border border-line bg-paper">
      <header className="px-3 pt-2.5 pb-2">
        <ClaimSentence claim={claim} id={id} />
        <p className="mt-0.5 flex flex-wrap gap-x-2 text-xs text-soft">
          {claim.author.name}
          <time dateTime={new Date(claim.createdAt).toISOString()}>{formatTime(claim.createdAt)}</time>
          {claim.anchor === null ? null : (
            <button
              type="button"
              onClick={() => select(claim.anchor ?? '')}
              className={`${claim.anchor.includes(':') ? '' : 'name'} text-left underline decoration-dotted underline-offset-2`}
            >
              {titleOf(claim.anchor)}
            </button>
          )}
        </p>
      </header>
      <div className="grid border-y border-line sm:grid-cols-2">
        <div className="border-line px-3 py-2 max-sm:border-b sm:border-r">
          <h4 className="text-xs text-soft">{strings.claims.people}</h4>
          <StanceForm claim={claim} />
        </div>
        <div className="px-3 py-2">
          <h4 className="text-xs text-soft">{strings.claims.computed}</h4>
          <p className="text-base" data-testid="claim-verdict">
            <VerdictMark evidence={evidence} />
          </p>
          <Disagreement claim={claim} evidence={evidence} />
        </div>
      </div>
      <div className="px-3 py-2">
        <div className="flex items-center justify-between gap-2">
          <h4 className="text-xs text-soft">{strings.claims.evidence}</h4>
          {adding || !may('board.evidence') ? null : (
            <Button small onClick={() => setAdding(true)}>
              {strings.evidence.add}
            </Button>
          )}
        </div>
        {evidence.length === 0 && !adding ? <p className="text-xs text-soft">{strings.evidence.none}</p> : null}
        <ul className="grid gap-2 pt-1">
          {evidence.map((item) => (
            <EvidenceItem key={item.id} evidence={item} />
          ))}
        </ul>
        {adding && may('board.evidence') ? <EvidenceForm claim={claim} onDone={() => setAdding(false)} /> : null}
      </div>
      <div className="border-t border-line [&>section]:border-b-0">
        {talking || talked ? (
          <ThreadPanel anchor={anchor} title={strings.claims.thread} />
        ) : may('board.comment') ? (
          <Button tone="quiet" small className="m-1.5" onClick={() => setTalking(true)}>
            {strings.claims.discuss}
          </Button>
        ) : null}
      </div>
    </article>
  );
}
