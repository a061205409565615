'use client';
import { useEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';
import { strings } from './strings.ts';
import type { Progress } from './analysis.ts';

export function ProgressLine({ progress, onCancel }: { progress: Progress | null; onCancel?: () => void }) {
  const share = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : null;
  const left = useTimeLeft(share);
  return (
    <div className="flex items-center gap-2 text-xs text-soft" role="status">
      <progress
        className="h-1.5 w-28 accent-current"
        aria-label={progress?.what ?? strings.common.working}
        {...(share === null ? {} : { value: share, max: 1 })}
      />
      <span className="truncate">
        {progress?.what ?? strings.common.working}
        {share === null ? '' : ` ${Math.round(100 * share)}%`}
        {left === null ? '' : `, ${strings.common.timeLeft(left)}`}
      </span>
      {onCancel ? (
        <Button tone="quiet" small onClick={onCancel}>
          {strings.common.cancel}
        </Button>
      ) : null}
    </div>
  );
}

/** Before so much has passed there is nothing to judge by. */
const LEAST_MS = 1500;

/** Seconds left if it goes on as it went so far; null while that cannot be said. */
function useTimeLeft(share: number | null): number | null {
  const start = useRef<{ at: number; share: number } | null>(null);
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    const now = performance.now();
    if (share === null || start.current === null || share < start.current.share) {
      start.current = share === null ? null : { at: now, share };
      setLeft(null);
      return;
    }
    const { at, share: from } = start.current;
    const known = now - at >= LEAST_MS && share > from && share < 1;
    setLeft(known ? Math.max(1, Math.round(((now - at) / 1000) * ((1 - share) / (share - from)))) : null);
  }, [share]);
  return left;
}
