'use client';
import { useRef, useState } from 'react';
import { ofRun, type AnalyzeRequest } from '@/lib/engine/index.ts';
import { testable, type Members } from '@/lib/board/mechanism.ts';
import { formatSigned, formatTime, formatValue } from '@/lib/figures/numbers.ts';
import type { Run } from '@/lib/wire.ts';
import { execute, type Progress } from '@/app/ui/analysis.ts';
import { Button } from '@/app/ui/button.tsx';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { causalRequestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { AttachForm } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';

type Part = keyof typeof strings.mechanisms.testRun;

/** What happens when all members of a sort are changed at once; a causal number, never a sum. */
export function MechanismTest({ anchor, members }: { anchor: string; members: Members }) {
  const { boardId, setup, runs, may } = useBoard();
  const [busy, setBusy] = useState<Part | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);
  const words = strings.mechanisms;
  const reference = setup.counterfactual === null ? 'zero' : 'counterfactual';
  const names = testable(members);
  const parts = (['paths', 'edges', 'nodes'] as const).filter((part) => names[part].length > 0);
  const tests = runs.list.filter((run) => parts.some((part) => jointOf(run, names[part]) !== null));

  const requests: Record<Part, () => AnalyzeRequest> = {
    paths: () => causalRequestOf(setup, 'path-effect', { paths: names.paths, together: true, ablation: reference }),
    edges: () => causalRequestOf(setup, 'edge-patch', { edges: names.edges, together: true, ablation: reference }),
    nodes: () => causalRequestOf(setup, 'ablate', { ablate: names.nodes, together: true, ablation: reference }),
  };
  const test = async (part: Part) => {
    abort.current = new AbortController();
    setBusy(part);
    setError(null);
    setProgress(null);
    const options = { signal: abort.current.signal, onProgress: setProgress };
    await execute(boardId, requests[part](), options).then(runs.add, (cause: unknown) => setError(lineOf(cause)));
    setBusy(null);
  };

  return (
    <Section title={words.test}>
      {parts.length === 0 ? (
        <p className="text-xs text-soft">{members.placed.length > 0 ? words.placedUntestable : words.untestable}</p>
      ) : null}
      {parts.length > 0 && may('board.evidence') ? (
        <>
          <div className="flex flex-wrap items-center gap-2">
            {parts.map((part) => (
              <Button key={part} small disabled={busy !== null} onClick={() => void test(part)}>
                {words.testRun[part]}
              </Button>
            ))}
            {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
          </div>
          <p className="mt-1.5 text-xs text-soft">{words.testMeaning(reference)}</p>
        </>
      ) : null}
      {error ? <Fault>{error}</Fault> : null}
      {tests.length > 0 ? (
        <ul className="mt-2 grid gap-2">
          {tests.slice(0, 5).map((run) => (
            <TestResult key={run.id} run={run} anchor={anchor} names={run.answer.joint?.names ?? [run.answer.terms[0]!.name]} />
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

function TestResult({ run, anchor, names }: { run: Run; anchor: string; names: readonly string[] }) {
  const { may } = useBoard();
  const [attaching, setAttaching] = useState(false);
  const answer = ofRun(run.answer);
  const effect = jointOf(run, names) ?? Number.NaN;
  const half = Number((effect / 2).toPrecision(1));
  const quoted = names.map((name) => JSON.stringify(name)).join(', ');
  return (
    <li className="rounded-[3px] border border-line bg-paper p-2" data-run={run.id}>
      <p className="flex flex-wrap items-center gap-2 text-sm">
        <KindBadge kind={answer.kind} />
        <span className="text-soft">{strings.mechanisms.effect}</span>
        <b className="font-mono font-semibold" data-testid="joint-effect">
          {formatSigned(effect)}
        </b>
        <CopyButton text={String(effect)} what={strings.mechanisms.effect} />
      </p>
      <p className="mt-0.5 text-2xs text-soft">
        {answer.view} ·{' '}
        {answer.reference ? strings.test.against(answer.reference, formatValue(answer.metric), formatValue(answer.metric + effect)) : null}{' '}
        · {run.author.name} · <time dateTime={new Date(run.createdAt).toISOString()}>{formatTime(run.createdAt)}</time>
      </p>
      <Pedigree answer={answer} />
      {attaching ? (
        <AttachForm
          runIds={[run.id]}
          anchor={anchor}
          predicates={[`effect(${quoted}) ${effect < 0 ? '<' : '>'} ${half}`]}
          onDone={() => setAttaching(false)}
        />
      ) : may('board.evidence') ? (
        <Button small className="mt-1.5" onClick={() => setAttaching(true)}>
          {strings.attach.button}
        </Button>
      ) : null}
    </li>
  );
}

/** What all of the names did at once in this run, as a change of the metric; null where it tells something else. */
function jointOf(run: Run, names: readonly string[]): number | null {
  const { joint, view } = run.answer;
  if (view !== 'path-effect' && view !== 'edge-patch' && view !== 'ablate') return null;
  if (!joint || joint.names.length !== names.length || !names.every((name) => joint.names.includes(name))) return null;
  return view === 'path-effect' ? joint.value : joint.value - ofRun(run.answer).metric;
}
