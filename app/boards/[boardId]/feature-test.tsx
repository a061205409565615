'use client';
import { useRef, useState } from 'react';
import type { DictionarySummary, Run } from '@/lib/wire.ts';
import { execute, type Progress } from '@/app/ui/analysis.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { causalRequestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { TestResult } from './path-test.tsx';
import { ReferenceChoice, type TestReference } from './reference-choice.tsx';

interface FeatureTestProps {
  anchor: string;
  dictionary: DictionarySummary;
  name: string;
}

/** What happens to the metric when the feature takes another activation, kept as a run that evidence can point at [D5]. */
export function FeatureTest({ anchor, dictionary, name }: FeatureTestProps) {
  const { boardId, setup, runs, role, may } = useBoard();
  const [reference, setReference] = useState<TestReference>(setup.counterfactual === null ? 'zero' : 'counterfactual');
  const [progress, setProgress] = useState<Progress | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const abort = useRef<AbortController | null>(null);
  const words = strings.feature;
  const tests = runs.list.filter((run) => effectOf(run, dictionary, name) !== null);

  const test = async () => {
    abort.current = new AbortController();
    setBusy(true);
    setError(null);
    setProgress(null);
    const request = causalRequestOf(setup, 'feature-ablate', { dictionaries: [dictionary.hash], ablate: [name], ablation: reference });
    await execute(boardId, request, { signal: abort.current.signal, onProgress: setProgress }).then(runs.add, (cause: unknown) =>
      setError(lineOf(cause)),
    );
    setBusy(false);
  };

  return (
    <Section title={strings.test.title}>
      {may('board.evidence') ? (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <Button small onClick={() => void test()} disabled={busy}>
              {words.test}
            </Button>
            <ReferenceChoice value={reference} onChange={setReference} />
            {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
          </div>
          <p className="mt-1.5 text-xs text-soft">{words.testMeaning(reference)}</p>
        </>
      ) : role === null || tests.length > 0 ? null : (
        <p className="text-xs text-soft">{strings.roles.noTests}</p>
      )}
      {error ? <Fault>{error}</Fault> : null}
      {tests.length > 0 ? (
        <ul className="mt-2 grid gap-2">
          {tests.slice(0, 5).map((run) => (
            <TestResult key={run.id} run={run} anchor={anchor} name={name} effect={effectOf(run, dictionary, name)!} />
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

/** How much the metric changed in a run that changed this feature of this dictionary alone; null where it did something else. */
function effectOf({ answer }: Run, { hash }: DictionarySummary, name: string): number | null {
  if (answer.view !== 'feature-ablate' || answer.dictionaries?.[0]?.hash !== hash || answer.metric === null) return null;
  const value = answer.terms.find((term) => term.name === name)?.value;
  return value === undefined ? null : value - answer.metric;
}
