'use client';
import { readClaims, readEvidence } from '@/lib/board/discussion-doc.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { ClaimForm } from './claim-form.tsx';
import { StanceTally, VerdictMark } from './verdict-mark.tsx';
import { useLive } from './use-live.ts';

/** Claims about the selected path, in short. */
export function ClaimsAbout({ anchor }: { anchor: string }) {
  const { session, may } = useBoard();
  const claims = useLive(session.discussionDoc, readClaims).records.filter((claim) => claim.anchor === anchor);
  const evidence = useLive(session.discussionDoc, readEvidence).records;
  if (claims.length === 0 && !may('board.comment')) return null;
  return (
    <Section title={strings.claims.about}>
      {claims.length > 0 ? (
        <ul className="mb-2 grid gap-2">
          {claims.map((claim) => (
            <li key={claim.id} className="text-sm">
              {claim.text}
              <span className="mt-0.5 flex flex-wrap items-center gap-2">
                <StanceTally claim={claim} />
                <VerdictMark evidence={evidence.filter((item) => item.claimId === claim.id)} />
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      <ClaimForm anchor={anchor} />
    </Section>
  );
}
