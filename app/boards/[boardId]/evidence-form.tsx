'use client';
import { useRef, useState, type FormEvent } from 'react';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import type { Claim, Run } from '@/lib/wire.ts';
import { execute, type Progress } from '@/app/ui/analysis.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { attachEvidence } from './attach-form.tsx';
import { useBoard } from './board-context.tsx';
import { isTestable } from './path-test.tsx';
import { PredicateField, predicateFault } from './predicate-field.tsx';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';

const ALWAYS = ['degrees', 'paths', 'naive-expansion', 'interactions', 'orders'] as const;
type Source = (typeof ALWAYS)[number] | 'path-effect';

const PROPOSED: Record<Source, (anchor: string | null) => string> = {
  degrees: () => 'share(degree <= 1) >= 0.9',
  paths: () => 'mass(degree <= 1) >= 0.9',
  'naive-expansion': () => 'naive(degree <= 2) < 0.01',
  interactions: () => 'defect(max) < 0.1',
  orders: () => 'loss(degree > 2) < 0.05',
  'path-effect': (anchor) => `effect(${JSON.stringify(anchor)}) < -0.1`,
};

const ALL_PATHS = 100_000;

/** Computes something about the board's setup and ties it to the claim by a predicate. */
export function EvidenceForm({ claim, onDone }: { claim: Claim; onDone: () => void }) {
  const { boardId, setup, runs } = useBoard();
  const testable = claim.anchor !== null && isTestable(claim.anchor);
  const sources: Source[] = testable ? ['path-effect', ...ALWAYS] : [...ALWAYS];
  const [source, setSource] = useState<Source>(sources[0]!);
  const [predicate, setPredicate] = useState(PROPOSED[sources[0]!](claim.anchor));
  const [progress, setProgress] = useState<Progress | null>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<{ field: 'run' | 'predicate'; line: string | null } | null>(null);
  const abort = useRef<AbortController | null>(null);

  const requests: Record<Source, () => AnalyzeRequest> = {
    degrees: () => requestOf(setup, 'degrees'),
    paths: () => requestOf(setup, 'paths', { top: ALL_PATHS }),
    'naive-expansion': () => requestOf(setup, 'naive-expansion'),
    interactions: () => requestOf(setup, 'interactions'),
    orders: () => requestOf(setup, 'orders'),
    'path-effect': () => causalRequestOf(setup, 'path-effect', { paths: [claim.anchor ?? ''] }),
  };

  const attach = async (event: FormEvent) => {
    event.preventDefault();
    if (predicateFault(predicate) !== null) return;
    abort.current = new AbortController();
    setBusy(true);
    setProgress(null);
    const fail = (field: 'run' | 'predicate') => (error: unknown) => setFault({ field, line: lineOf(error) });
    const run: Run | void = await execute(boardId, requests[source](), { signal: abort.current.signal, onProgress: setProgress }).catch(
      fail('run'),
    );
    if (run) runs.add(run);
    const evidence = run && (await attachEvidence(boardId, claim.id, [run.id], predicate).catch(fail('predicate')));
    setBusy(false);
    if (evidence) onDone();
  };

  return (
    <form onSubmit={attach} className="mt-2 grid gap-2 border-t border-line pt-2" aria-label={strings.evidence.add}>
      <Field label={strings.evidence.source}>
        {(control) => (
          <select
            {...control}
            value={source}
            onChange={(event) => {
              const next = event.target.value as Source;
              setSource(next);
              setPredicate(PROPOSED[next](claim.anchor));
            }}
            className="field text-sm"
          >
            {sources.map((name) => (
              <option key={name} value={name}>
                {strings.evidence.sources[name]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <PredicateField value={predicate} onChange={setPredicate} error={fault?.field === 'predicate' ? fault.line : null} />
      {fault?.field === 'run' && fault.line ? <Fault>{fault.line}</Fault> : null}
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" small tone="main" disabled={busy || predicateFault(predicate) !== null}>
          {strings.evidence.submit}
        </Button>
        <Button small onClick={onDone}>
          {strings.common.cancel}
        </Button>
        {busy ? <ProgressLine progress={progress} onCancel={() => abort.current?.abort()} /> : null}
      </div>
    </form>
  );
}
