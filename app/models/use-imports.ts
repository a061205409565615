'use client';
import { useRouter } from 'next/navigation';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ModelImport } from '@/lib/model-wire.ts';
import { lineOf, request } from '@/app/ui/request.ts';

/** Milliseconds between two looks: while something goes on, and while nothing does (somebody else may begin). */
const BUSY_MS = 700;
const IDLE_MS = 10_000;

export interface Imports {
  /** null until they are known */
  list: ModelImport[] | null;
  error: string | null;
  look: () => void;
}

/** The imports of the server, watched. The page is made anew when a model has come. */
export function useImports(): Imports {
  const router = useRouter();
  const [list, setList] = useState<ModelImport[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const again = useRef<() => void>(() => {});
  const done = useRef<Set<string> | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const found = await request<ModelImport[]>('/api/imports', { signal: abort.signal }).catch((cause: unknown) => {
        if (!abort.signal.aborted) setError(lineOf(cause));
        return null;
      });
      if (abort.signal.aborted) return;
      if (found) {
        setList(found);
        setError(null);
        const ended = new Set(found.filter(({ state }) => state === 'done').map(({ id }) => id));
        const known = done.current;
        if (known && [...ended].some((id) => !known.has(id))) router.refresh();
        done.current = ended;
      }
      const goesOn = found?.some(({ state }) => state === 'running' || state === 'waiting') ?? false;
      timer = setTimeout(look, goesOn ? BUSY_MS : IDLE_MS);
    };
    again.current = () => {
      clearTimeout(timer);
      void look();
    };
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [router]);

  return { list, error, look: useCallback(() => again.current(), []) };
}
