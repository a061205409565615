'use client';
import { useCallback, useState } from 'react';
import { lineOf } from './request.ts';

export interface Task {
  busy: boolean;
  /** why the last attempt failed */
  error: string | null;
  /** Whether it worked. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** One thing at a time that a person asks of the server, and what became of it. */
export function useTask(): Task {
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });

  const run = useCallback(async (work: () => Promise<unknown>) => {
    setState({ busy: true, error: null });
    const error = await work().then(
      () => null,
      (cause: unknown) => lineOf(cause) ?? '',
    );
    setState({ busy: false, error });
    return error === null;
  }, []);
  return { ...state, run };
}
