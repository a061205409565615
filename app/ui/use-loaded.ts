'use client';
import { useCallback, useEffect, useState } from 'react';
import { lineOf, request } from './request.ts';

export interface Loaded<T> {
  /** null until it is there */
  value: T | null;
  error: string | null;
  reload: () => void;
}

/** What the server answers to a GET; null asks for nothing. */
export function useLoaded<T>(url: string | null): Loaded<T> {
  const [state, setState] = useState<{ url: string | null; value: T | null; error: string | null }>({ url, value: null, error: null });

  const load = useCallback(
    (signal?: AbortSignal) => {
      if (url === null) return;
      request<T>(url, signal ? { signal } : {}).then(
        (value) => setState({ url, value, error: null }),
        (cause: unknown) => {
          if (!signal?.aborted) setState({ url, value: null, error: lineOf(cause) });
        },
      );
    },
    [url],
  );

  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal);
    return () => abort.abort();
  }, [load]);

  const current = state.url === url;
  return { value: current ? state.value : null, error: current ? state.error : null, reload: () => load() };
}
