'use client';
import { ofRun } from '@/lib/engine/index.ts';
import { formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { Section } from '@/app/ui/section.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { BY_POSITION } from './use-graph.ts';

/** Milliseconds for which the selection may still be moving. */
const PAUSE = 150;

/** What flows through a node at a token, or along an edge between tokens [M26]. */
export function FlowNumbers({ place }: { place: string }) {
  const { setup } = useBoard();
  const words = strings.graph.inspector;
  const state = useAnswer(requestOf(setup, 'flow', BY_POSITION), PAUSE);
  const { answer, error, stale, progress, retry } = state;
  if (error) {
    return (
      <Section title={words.title}>
        <Fault>{error}</Fault>
        <Button small className="mt-1" onClick={retry}>
          {strings.common.tryAgain}
        </Button>
      </Section>
    );
  }
  if (!answer || stale) {
    return (
      <Section title={words.title}>
        <ProgressLine progress={progress} />
      </Section>
    );
  }
  const isEdge = place.includes('->');
  const value = (isEdge ? answer.terms : (answer.through ?? [])).find(({ name }) => name === place)?.value;
  const { metric } = ofRun(answer);
  return (
    <Section title={words.title}>
      {value === undefined ? (
        <p className="text-xs text-soft">{words.missing}</p>
      ) : (
        <>
          <p className="mb-1 text-xs text-soft">{isEdge ? words.edge : words.node}</p>
          <dl className="grid grid-cols-[1fr_auto_auto] items-center gap-x-2 text-sm">
            <dt className="flex items-center gap-2 text-soft">
              {strings.inspector.contribution} <KindBadge kind="identity" />
            </dt>
            <dd className="text-right font-mono" data-testid="selected-flow">
              {formatSigned(value)}
            </dd>
            <dd>
              <CopyButton text={String(value)} what={strings.inspector.contribution} />
            </dd>
            <dt className="text-soft">{strings.inspector.share}</dt>
            <dd className="text-right font-mono">{formatShare(value, metric)}</dd>
            <dd>
              <CopyButton text={String(value / metric)} what={strings.inspector.share} />
            </dd>
          </dl>
          <Pedigree answer={answer} />
        </>
      )}
    </Section>
  );
}
