'use client';
import { readClaims, readEvidence } from '@/lib/board/discussion-doc.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { ClaimCard } from './claim-card.tsx';
import { ClaimForm } from './claim-form.tsx';
import { useLive } from './use-live.ts';

export function ClaimsView() {
  const { session } = useBoard();
  const claims = useLive(session.discussionDoc, readClaims).records;
  const evidence = useLive(session.discussionDoc, readEvidence).records;

  return (
    <section aria-labelledby="claims-heading">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-2">
        <h2 id="claims-heading" className="text-sm font-semibold">
          {strings.views.claims}
        </h2>
        <p className="min-w-0 flex-1 basis-64 text-xs text-soft">{strings.claims.meaning}</p>
      </div>
      <div className="mx-auto grid max-w-3xl gap-4 p-3 sm:p-4">
        <ClaimForm anchor={null} />
        {claims.length === 0 ? <p className="text-sm text-soft">{strings.claims.empty}</p> : null}
        {claims.toReversed().map((claim) => (
          <ClaimCard key={claim.id} claim={claim} evidence={evidence.filter((item) => item.claimId === claim.id)} />
        ))}
      </div>
    </section>
  );
}
