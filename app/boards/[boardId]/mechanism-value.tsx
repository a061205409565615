'use client';
import type { ReactNode } from 'react';
import { ofRun, type Answer } from '@/lib/engine/index.ts';
import { flowOfEdges, flowOfNodes, flowOfPlaces, parentsOf, sumOfPaths, type Members, type Total } from '@/lib/board/mechanism.ts';
import { formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { Section } from '@/app/ui/section.tsx';
import { requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { AttachControl } from './attach-control.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { useAnswer } from './use-answer.ts';
import { BY_POSITION } from './use-graph.ts';

/** Milliseconds for which members may still be coming in. */
const PAUSE = 150;

type Part = keyof typeof strings.mechanisms.parts;

interface MechanismValueProps {
  anchor: string;
  members: Members;
}

/** What a mechanism adds up to, members of each sort apart, with the kind of the number or the reason why there is none. */
export function MechanismValue({ anchor, members }: MechanismValueProps) {
  const { paths, edges, nodes, placed } = members;
  const sorts = [paths, edges, nodes, placed].filter((some) => some.length > 0).length;
  if (sorts === 0) return null;
  const titled = (part: Part, value: ReactNode) => (
    <div>
      {sorts > 1 ? <h4 className="text-2xs font-semibold text-soft first-letter:uppercase">{strings.mechanisms.parts[part]}</h4> : null}
      {value}
    </div>
  );
  return (
    <Section title={strings.mechanisms.value}>
      <div className="grid gap-3">
        {paths.length > 0 ? titled('paths', <PathsValue anchor={anchor} paths={paths} />) : null}
        {edges.length > 0 ? titled('edges', <FlowValue part="edges" names={edges} total={flowOfEdges} />) : null}
        {nodes.length > 0 ? titled('nodes', <FlowValue part="nodes" names={nodes} total={flowOfNodes} />) : null}
        {placed.length > 0 ? titled('placed', <FlowValue part="placed" names={placed} total={flowOfPlaces} />) : null}
      </div>
      {sorts > 1 ? <p className="mt-2 text-xs text-soft">{strings.mechanisms.apart}</p> : null}
    </Section>
  );
}

function PathsValue({ anchor, paths }: { anchor: string; paths: string[] }) {
  const { setup } = useBoard();
  const request = requestOf(setup, 'suffixes', { paths: parentsOf(paths) });
  const state = useAnswer(request, PAUSE);
  const total = (answer: Answer): Total | null => {
    const value = sumOfPaths(paths, answer);
    return value === null ? null : { exact: true, value };
  };
  return (
    <Computed state={state}>
      {(answer) => (
        <>
          <TotalLines part="paths" total={total(answer)} answer={answer} />
          <AttachControl request={request} anchor={anchor} predicates={(made) => [shareOf(paths, made)]} />
        </>
      )}
    </Computed>
  );
}

interface FlowValueProps {
  part: Part;
  names: string[];
  total: (names: readonly string[], answer: Answer) => Total | null;
}

function FlowValue({ part, names, total }: FlowValueProps) {
  const { setup } = useBoard();
  const state = useAnswer(requestOf(setup, 'flow', part === 'placed' ? BY_POSITION : {}), PAUSE);
  return <Computed state={state}>{(answer) => <TotalLines part={part} total={total(names, answer)} answer={answer} />}</Computed>;
}

function Computed({ state, children }: { state: ReturnType<typeof useAnswer>; children: (answer: Answer) => ReactNode }) {
  if (state.error) {
    return (
      <div>
        <Fault>{state.error}</Fault>
        <Button small className="mt-1" onClick={state.retry}>
          {strings.common.tryAgain}
        </Button>
      </div>
    );
  }
  if (!state.answer || state.stale) return <ProgressLine progress={state.progress} />;
  return <div>{children(state.answer)}</div>;
}

function TotalLines({ part, total, answer }: { part: Part; total: Total | null; answer: Answer }) {
  const words = strings.mechanisms;
  const { metric } = ofRun(answer);
  if (total === null) return <p className="text-xs text-soft">{words.unknown}</p>;
  if (!total.exact) {
    return (
      <p className="text-xs text-soft" data-testid="no-sum">
        {words.noSum(...total.shared)}
      </p>
    );
  }
  return (
    <>
      <dl className="grid grid-cols-[1fr_auto_auto] items-center gap-x-2 text-sm">
        <dt className="flex flex-wrap items-center gap-x-2 text-soft">
          {words.sum} <KindBadge kind="identity" />
        </dt>
        <dd className="text-right font-mono" data-testid={`mechanism-${part}`}>
          {formatSigned(total.value)}
        </dd>
        <dd>
          <CopyButton text={String(total.value)} what={words.sum} />
        </dd>
        <dt className="text-soft">{words.share}</dt>
        <dd className="text-right font-mono">{formatShare(total.value, metric)}</dd>
        <dd>
          <CopyButton text={String(total.value / metric)} what={words.share} />
        </dd>
      </dl>
      <p className="text-xs text-soft">{words.meaning[part]}</p>
      <Pedigree answer={answer} />
    </>
  );
}

/** A predicate that the run fulfils, a little below the share that it gives. */
function shareOf(paths: readonly string[], answer: Answer): string {
  const share = (sumOfPaths(paths, answer) ?? 0) / ofRun(answer).metric;
  return `share(${paths.map((name) => JSON.stringify(name)).join(', ')}) >= ${Math.floor(share * 20) / 20}`;
}
