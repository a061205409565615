'use client';
import { useEffect, useState } from 'react';
import type { AnalyzeRequest, Answer } from '@/lib/engine/index.ts';
import { analyze, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';

export interface AnswerState {
  answer: Answer | null;
  progress: Progress | null;
  error: string | null;
  /** the answer shown belongs to an earlier request */
  stale: boolean;
  retry: () => void;
}

const KEPT = 24;
const answers = new Map<string, Answer>();

/** Keeps the latest answers of this page, so that going back to a view costs nothing. */
function remember(key: string, answer: Answer): void {
  answers.delete(key);
  answers.set(key, answer);
  const oldest = answers.keys().next();
  if (answers.size > KEPT && !oldest.done) answers.delete(oldest.value);
}

/** `pause`: milliseconds to wait before asking, for what follows a selection that may still be moving. */
export function useAnswer(request: AnalyzeRequest | null, pause = 0): AnswerState {
  const key = request ? JSON.stringify(request) : null;
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<{ key: string | null; answer: Answer | null; progress: Progress | null; error: string | null }>({
    key: null,
    answer: null,
    progress: null,
    error: null,
  });

  useEffect(() => {
    if (key === null) return;
    if (attempt > 0) answers.delete(key);
    const known = answers.get(key);
    if (known) {
      setState({ key, answer: known, progress: null, error: null });
      return;
    }
    const abort = new AbortController();
    setState((before) => ({ ...before, progress: null, error: null }));
    const ask = () =>
      analyze(JSON.parse(key) as AnalyzeRequest, {
        signal: abort.signal,
        onProgress: (progress) => setState((before) => ({ ...before, progress })),
      })
        .then((answer) => {
          remember(key, answer);
          if (!abort.signal.aborted) setState({ key, answer, progress: null, error: null });
        })
        .catch((error: unknown) => {
          if (!abort.signal.aborted) setState((before) => ({ ...before, progress: null, error: lineOf(error) }));
        });
    const timer = setTimeout(ask, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, attempt, pause]);

  return {
    answer: key === null ? null : state.answer,
    progress: state.progress,
    error: state.error,
    stale: state.key !== key,
    retry: () => setAttempt((count) => count + 1),
  };
}
