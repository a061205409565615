'use client';
import { useEffect, useRef, useState } from 'react';
import type { AnalyzeRequest, Answer } from '@/lib/engine/index.ts';
import { analyze, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';

export interface AnswerState {
  answer: Answer | null;
  progress: Progress | null;
  error: string | null;
  /** the answer shown belongs to an earlier request */
  stale: boolean;
  /** stopped by {@link cancel} before it was answered */
  cancelled: boolean;
  retry: () => void;
  cancel: () => void;
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

interface State {
  key: string | null;
  answer: Answer | null;
  progress: Progress | null;
  error: string | null;
  cancelled: boolean;
}

const NOTHING: State = { key: null, answer: null, progress: null, error: null, cancelled: false };

/** `pause`: milliseconds to wait before asking, for what follows a selection that may still be moving. */
export function useAnswer(request: AnalyzeRequest | null, pause = 0): AnswerState {
  const key = request ? JSON.stringify(request) : null;
  const [again, setAgain] = useState<{ key: string | null }>({ key: null });
  const [state, setState] = useState(NOTHING);
  const running = useRef<AbortController | null>(null);

  useEffect(() => {
    if (key === null) return;
    const known = again.key === key ? undefined : answers.get(key);
    if (known) {
      setState({ ...NOTHING, key, answer: known });
      return;
    }
    const abort = new AbortController();
    running.current = abort;
    setState((before) => ({ ...before, progress: null, error: null, cancelled: false }));
    const ask = () =>
      analyze(JSON.parse(key) as AnalyzeRequest, {
        signal: abort.signal,
        onProgress: (progress) => setState((before) => ({ ...before, progress })),
      })
        .then((answer) => {
          remember(key, answer);
          if (!abort.signal.aborted) setState({ ...NOTHING, key, answer });
        })
        .catch((error: unknown) => {
          if (!abort.signal.aborted) setState((before) => ({ ...before, progress: null, error: lineOf(error) }));
        });
    const timer = setTimeout(ask, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, again, pause]);

  return {
    answer: key === null ? null : state.answer,
    progress: state.progress,
    error: state.error,
    cancelled: state.cancelled,
    stale: state.key !== key,
    retry: () => {
      setState((before) => ({ ...before, key: null }));
      setAgain({ key });
    },
    cancel: () => {
      running.current?.abort();
      setState((before) => ({ ...before, key: null, progress: null, cancelled: true }));
    },
  };
}
