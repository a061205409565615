'use client';
import { useEffect, useState } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import type { Setup, TokenText } from '@/lib/wire.ts';
import { analyze, searchTokens } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';
import { requestOf } from '@/app/ui/setup-request.ts';

const LIKELY = 12;
const PAUSE_MS = 120;

/** Tokens that match the text; with no text, the ones the model itself finds likely at the position. */
export function useTokenSearch(setup: Setup, query: string): { tokens: TokenText[]; error: string | null } {
  const [found, setFound] = useState<{ tokens: TokenText[]; error: string | null }>({ tokens: [], error: null });

  useEffect(() => {
    const abort = new AbortController();
    const tokens =
      query === ''
        ? () =>
            analyze(requestOf({ ...setup, target: null, foil: null }, 'logits', { top: LIKELY }), { signal: abort.signal }).then(
              likelyTokens,
            )
        : () => searchTokens(setup.model, query, abort.signal);
    const timer = setTimeout(
      () =>
        tokens().then(
          (list) => !abort.signal.aborted && setFound({ tokens: list, error: null }),
          (error: unknown) => !abort.signal.aborted && setFound({ tokens: [], error: lineOf(error) }),
        ),
      query === '' ? 0 : PAUSE_MS,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [setup, query]);

  return found;
}

function likelyTokens(answer: Answer): TokenText[] {
  return answer.terms.map((term) => ({ id: Number(term.name), text: term.text ?? term.name }));
}
