'use client';
import { useEffect, useState } from 'react';
import type { TokenText } from '@/lib/wire.ts';
import { request } from '@/app/ui/request.ts';

const PAUSE_MS = 200;

/** How many tokens a text is; null while unknown. */
export function useTokenCount(model: string, text: string): number | null {
  const [count, setCount] = useState<number | null>(null);
  useEffect(() => {
    setCount(null);
    if (text === '') return;
    const abort = new AbortController();
    const url = `/api/models/${encodeURIComponent(model)}/tokenize`;
    const timer = setTimeout(() => {
      request<{ tokens: TokenText[] }>(url, { method: 'POST', body: { text }, signal: abort.signal }).then(
        (body) => setCount(body.tokens.length),
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
