'use client';
import { useEffect, useRef, useState } from 'react';
import type { AnalyzeRequest } from '@/lib/engine/index.ts';
import { analyze, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';

/** Rows are queries, columns keys; square. */
export interface Pattern {
  length: number;
  weights: Float32Array;
}

export interface Patterns {
  /** of the heads that have come so far */
  of: ReadonlyMap<string, Pattern>;
  progress: Progress | null;
  error: string | null;
  cancelled: boolean;
  retry: () => void;
  cancel: () => void;
}

/** Numbers that one answer may hold: as text they are some twenty characters each. */
const NUMBERS = 300_000;
/** Patterns of this page that are kept, so that going back to a layer costs nothing. */
const KEPT = 64;
const known = new Map<string, Pattern>();

interface State {
  key: string;
  of: ReadonlyMap<string, Pattern>;
  progress: Progress | null;
  error: string | null;
  cancelled: boolean;
}

/** Attention patterns of `heads`, a few at a time, so that they appear one after the other and can be stopped in between. */
export function usePatterns(request: AnalyzeRequest, heads: readonly string[], length: number): Patterns {
  const base = JSON.stringify(request);
  const list = heads.join(' ');
  const [again, setAgain] = useState(0);
  const key = `${again} ${base} ${list}`;
  const [state, setState] = useState<State>({ key: '', of: new Map(), progress: null, error: null, cancelled: false });
  const running = useRef<AbortController | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    running.current = abort;
    const names = list.split(' ').filter(Boolean);
    const tell = (change: Partial<State>) => {
      if (!abort.signal.aborted) setState((before) => ({ ...before, key, ...change }));
    };
    tell({ of: foundOf(base, names), progress: null, error: null, cancelled: false });
    const missing = names.filter((name) => !known.has(`${base} ${name}`));
    void load(base, missing, length, abort.signal, (done) => {
      const progress = { done, total: missing.length, what: strings.heads.loading };
      tell({ of: foundOf(base, names), progress: done < missing.length ? progress : null });
    }).catch((error: unknown) => tell({ error: lineOf(error), progress: null }));
    return () => abort.abort();
  }, [base, list, key, length]);

  return {
    of: state.key === key ? state.of : foundOf(base, heads),
    progress: state.progress,
    error: state.error,
    cancelled: state.cancelled,
    retry: () => setAgain((before) => before + 1),
    cancel: () => {
      running.current?.abort();
      setState((before) => ({ ...before, progress: null, cancelled: true }));
    },
  };
}

async function load(base: string, heads: readonly string[], length: number, signal: AbortSignal, tell: (done: number) => void) {
  const atOnce = Math.max(1, Math.floor(NUMBERS / Math.max(1, length) ** 2));
  for (let from = 0; from < heads.length; from += atOnce) {
    const nodes = heads.slice(from, from + atOnce);
    const { terms } = await analyze({ ...(JSON.parse(base) as AnalyzeRequest), nodes }, { signal });
    for (const { name, pattern } of terms) if (pattern) remember(`${base} ${name}`, patternOf(pattern));
    tell(Math.min(heads.length, from + atOnce));
  }
}

function patternOf(rows: readonly (readonly number[])[]): Pattern {
  const length = rows.length;
  const weights = new Float32Array(length * length);
  rows.forEach((row, query) => weights.set(row, query * length));
  return { length, weights };
}

function remember(key: string, pattern: Pattern): void {
  known.delete(key);
  known.set(key, pattern);
  const oldest = known.keys().next();
  if (known.size > KEPT && !oldest.done) known.delete(oldest.value);
}

function foundOf(base: string, heads: readonly string[]): Map<string, Pattern> {
  return new Map(
    heads.flatMap((name) => {
      const pattern = known.get(`${base} ${name}`);
      return pattern ? [[name, pattern] as const] : [];
    }),
  );
}
