'use client';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Evidence, Run } from '@/lib/wire.ts';
import { lineOf, request } from '@/app/ui/request.ts';

export interface Runs {
  /** newest first */
  list: readonly Run[];
  error: string | null;
  add: (run: Run) => void;
}

/** The board's runs; asked for again whenever evidence names one that is not here yet. */
export function useRuns(boardId: string, evidence: readonly Evidence[]): Runs {
  const [list, setList] = useState<readonly Run[]>([]);
  const [error, setError] = useState<string | null>(null);
  const named = useMemo(() => [...new Set(evidence.flatMap(runIdsOf))].sort().join(' '), [evidence]);

  useEffect(() => {
    const abort = new AbortController();
    request<Run[]>(`/api/boards/${boardId}/runs`, { signal: abort.signal }).then(
      (runs) => {
        setList(runs);
        setError(null);
      },
      (cause: unknown) => setError(lineOf(cause)),
    );
    return () => abort.abort();
  }, [boardId, named]);

  const add = useCallback((run: Run) => setList((before) => [run, ...before.filter((other) => other.id !== run.id)]), []);
  return { list, error, add };
}

export function runIdsOf(evidence: Evidence): string[] {
  return [...evidence.runIds, ...evidence.reruns.map((rerun) => rerun.runId)];
}
