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

interface Loaded {
  /** ids that evidence named when the list was asked for */
  named: string;
  list: readonly Run[];
  error: string | null;
}

/** The board's runs; asked for again whenever evidence names others than before. */
export function useRuns(boardId: string, evidence: readonly Evidence[]): Runs {
  const named = useMemo(() => [...new Set(evidence.flatMap(runIdsOf))].sort().join(' '), [evidence]);
  const [loaded, setLoaded] = useState<Loaded>({ named, list: [], error: null });

  useEffect(() => {
    const abort = new AbortController();
    request<Run[]>(`/api/boards/${boardId}/runs`, { signal: abort.signal }).then(
      (list) => setLoaded({ named, list, error: null }),
      (cause: unknown) => setLoaded((before) => ({ ...before, error: lineOf(cause) })),
    );
    return () => abort.abort();
  }, [boardId, named]);

  const add = useCallback(
    (run: Run) => setLoaded((before) => ({ ...before, list: [run, ...before.list.filter((other) => other.id !== run.id)] })),
    [],
  );
  return { list: loaded.list, error: loaded.error, add };
}

function runIdsOf(evidence: Evidence): string[] {
  return [...evidence.runIds, ...evidence.reruns.map((rerun) => rerun.runId)];
}
