'use client';
import { useRef, useState } from 'react';
import { isComponent, ofRun, parseNode, type AnalyzeRequest, type Answer } from '@/lib/engine/index.ts';
import { formatSigned, formatTime, formatValue } from '@/lib/figures/numbers.ts';
import type { Run } from '@/lib/wire.ts';
import { execute, type Progress } from '@/app/ui/analysis.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { AttachForm } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';
import { Pedigree } from './pedigree.tsx';
import { causalRequestOf } from '@/app/ui/setup-request.ts';
import { ReferenceChoice, type TestReference } from './reference-choice.tsx';

/** A path effect changes the output of the path's first node, so that must be a node with one. */
export function isTestable(path: string): boolean {
  const first = path.split('->')[0] ?? '';
  return path.endsWith('->logits') && !first.endsWith('.b') && !path.includes('@');
}

/** What can be changed about an anchor: a path's first node on it alone, what one reader reads, all that a node writes. */
const TESTS = ['path-effect', 'edge-patch', 'ablate'] as const;
type Test = (typeof TESTS)[number];

function testOf(anchor: string): Test | null {
  const nodes = anchor.split('->');
  if (nodes[0]!.endsWith('.b') || anchor.includes('@')) return null;
  if (anchor.endsWith('->logits')) return 'path-effect';
  if (nodes.length === 2) return 'edge-patch';
  return nodes.length === 1 && isComponent(parseNode(anchor)) ? 'ablate' : null;
}

function changesOf(test: Test, anchor: string): Partial<AnalyzeRequest> {
  return { 'path-effect': { paths: [anchor] }, 'edge-patch': { edges: [anchor] }, ablate: { ablate: [anchor] } }[test];
}

/** How much the metric changed in a run that changed this alone; null where it did something else. */
function effectOf({ answer }: Run, anchor: string): number | null {
  const test = TESTS.find((known) => known === answer.view);
  const value = test && testOf(anchor) === test ? answer.terms.find((term) => term.name === anchor)?.value : undefined;
  if (value === undefined || answer.metric === null) return null;
  return test === 'path-effect' ? value : value - answer.metric;
}

/** `test it`: what happens to the metric when this is changed, kept as a run that evidence can point at. */
export function PathTest({ path, answer }: { path: string; answer: Answer | null }) {
  const { boardId, setup, runs, role, may } = useBoard();
  const [reference, setReference] = useState<TestReference>(setup.counterfactual === null ? 'zero' : 'counterfactual');
  const [progress, setProgress] = useState<Progress | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);
  const tests = runs.list.filter((run) => effectOf(run, path) !== null);
  const kind = testOf(path);

  const test = async (chosen: Test) => {
    abort.current = new AbortController();
    setBusy(true);
    setError(null);
    setProgress(null);
    const request = causalRequestOf(setup, chosen, { ...changesOf(chosen, path), ablation: reference });
    await execute(boardId, request, { signal: abort.current.signal, onProgress: setProgress }).then(runs.add, (cause: unknown) =>
      setError(lineOf(cause)),
    );
    setBusy(false);
  };

  return (
    <Section title={strings.test.title}>
      {!may('board.evidence') ? (
        role === null || tests.length > 0 ? null : (
          <p className="text-xs text-soft">{strings.roles.noTests}</p>
        )
      ) : kind !== null && answer ? (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <Button small onClick={() => void test(kind)} disabled={busy}>
              {strings.parts.test.run[kind]}
            </Button>
            <ReferenceChoice value={reference} onChange={setReference} />
            {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
          </div>
          <p className="mt-1.5 text-xs text-soft">{strings.parts.test.meaning[kind](reference)}</p>
        </>
      ) : (
        <p className="text-xs text-soft">{strings.test.impossible}</p>
      )}
      {error ? <Fault>{error}</Fault> : null}
      {tests.length > 0 ? (
        <ul className="mt-2 grid gap-2">
          {tests.slice(0, 5).map((run) => (
            <TestResult key={run.id} run={run} anchor={path} name={path} effect={effectOf(run, path) ?? Number.NaN} />
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

interface TestResultProps {
  run: Run;
  anchor: string;
  /** as predicates know what was changed */
  name: string;
  effect: number;
}

/** What a test came to; from here it is attached to a claim. */
export function TestResult({ run, anchor, name, effect }: TestResultProps) {
  const { may } = useBoard();
  const [attaching, setAttaching] = useState(false);
  const answer = ofRun(run.answer);
  const half = Number((effect / 2).toPrecision(1));
  return (
    <li className="rounded-[3px] border border-line bg-paper p-2" data-run={run.id}>
      <p className="flex flex-wrap items-center gap-2 text-sm">
        <KindBadge kind={answer.kind} />
        <span className="text-soft">{strings.test.effect}</span>
        <b className="font-mono font-semibold" data-testid="effect">
          {formatSigned(effect)}
        </b>
        <span className="text-xs text-soft">
          {answer.reference
            ? strings.test.against(answer.reference, formatValue(answer.metric), formatValue(answer.metric + effect))
            : null}
        </span>
      </p>
      <p className="mt-0.5 text-2xs text-soft">
        {run.author.name} · <time dateTime={new Date(run.createdAt).toISOString()}>{formatTime(run.createdAt)}</time>
      </p>
      <Pedigree answer={answer} />
      {attaching ? (
        <AttachForm
          runIds={[run.id]}
          anchor={anchor}
          predicates={[`effect(${JSON.stringify(name)}) ${effect < 0 ? '<' : '>'} ${half}`]}
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
