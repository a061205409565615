'use client';
import type { Ref } from 'react';
import { readAnchor } from '@/lib/board/anchors.ts';
import { readClaims, readEvidence } from '@/lib/board/discussion-doc.ts';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { ClaimCard } from './claim-card.tsx';
import { ClaimsAbout } from './claims-about.tsx';
import { MechanismPanel } from './mechanism-panel.tsx';
import { Pedigree } from './pedigree.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { useLive } from './use-live.ts';

interface AnchorPanelProps {
  /** no model object */
  anchor: string;
  label: Ref<HTMLInputElement>;
  comment: Ref<HTMLTextAreaElement>;
}

/** The inspector's content for what is no object of the model: a token, a mechanism, a run, a claim. */
export function AnchorPanel({ anchor, label, comment }: AnchorPanelProps) {
  const read = readAnchor(anchor);
  switch (read?.kind) {
    case 'group':
      return <MechanismPanel id={read.id} anchor={anchor} label={label} comment={comment} />;
    case 'claim':
      return <ClaimPanel id={read.id} />;
    case 'run':
      return <RunPanel id={read.id} anchor={anchor} comment={comment} />;
    default:
      return (
        <>
          <ThreadPanel ref={comment} anchor={anchor} title={strings.thread.title} />
          <ClaimsAbout anchor={anchor} />
        </>
      );
  }
}

function ClaimPanel({ id }: { id: string }) {
  const { session } = useBoard();
  const claim = useLive(session.discussionDoc, readClaims).records.find((one) => one.id === id);
  const evidence = useLive(session.discussionDoc, readEvidence).records;
  if (!claim) return <p className="p-3 text-sm text-soft">{strings.anchors.gone}</p>;
  return (
    <div className="p-2">
      <ClaimCard claim={claim} evidence={evidence.filter((item) => item.claimId === id)} />
    </div>
  );
}

function RunPanel({ id, anchor, comment }: { id: string; anchor: string; comment: Ref<HTMLTextAreaElement> }) {
  const { runs } = useBoard();
  const run = runs.list.find((one) => one.id === id);
  return (
    <>
      {run ? (
        <Section title={strings.anchors.runTitle}>
          <p className="flex flex-wrap items-center gap-2 text-sm">
            <KindBadge kind={run.answer.kind} /> {run.author.name}, {formatTime(run.createdAt)}
          </p>
          <Pedigree answer={run.answer} />
        </Section>
      ) : (
        <p className="border-b border-line p-3 text-sm text-soft">{strings.anchors.runGone}</p>
      )}
      <ThreadPanel ref={comment} anchor={anchor} title={strings.thread.title} />
      <ClaimsAbout anchor={anchor} />
    </>
  );
}
