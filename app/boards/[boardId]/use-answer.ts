'use client';
import { useEffect, useRef, useState, type Dispatch, type SetStateAction } from 'react';
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

/** What was computed elsewhere is not shown as computed here. */
export function forgetAnswers(): void {
  answers.clear();
}

interface State {
  key: string | null;
  answer: Answer | null;
  progress: Progress | null;
  error: string | null;
  cancelled: boolean;
}

const NOTHING: State = { key: null, answer: null, progress: null, error: null, cancelled: false };

/**
 * Asks for what a key stands for. Progress, answer and error are set for as long as `signal` is not aborted: after
 * that the state belongs to another request. An answer that comes all the same is remembered.
 */
export async function ask(key: string, signal: AbortSignal, set: Dispatch<SetStateAction<State>>): Promise<void> {
  const setWhileWanted: typeof set = (next) => {
    if (!signal.aborted) set(next);
  };
  try {
    const onProgress = (progress: Progress) => setWhileWanted((before) => ({ ...before, progress }));
    const answer = await analyze(JSON.parse(key) as AnalyzeRequest, { signal, onProgress });
    remember(key, answer);
    setWhileWanted({ ...NOTHING, key, answer });
  } catch (error) {
    setWhileWanted((before) => ({ ...before, progress: null, error: lineOf(error) }));
  }
}

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
    const timer = setTimeout(() => void ask(key, abort.signal, setState), pause);
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
