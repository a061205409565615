'use client';
import { useEffect, useState } from 'react';
import { tokenize } from '@/app/ui/analysis.ts';

const PAUSE_MS = 200;

/** How many tokens a text is; null while unknown. */
export function useTokenCount(model: string, text: string): number | null {
  const [count, setCount] = useState<number | null>(null);
  useEffect(() => {
    setCount(null);
    if (text === '') return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      tokenize(model, text, abort.signal).then(
        (tokens) => setCount(tokens.length),
        () => setCount(null),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [model, text]);
  return count;
}
