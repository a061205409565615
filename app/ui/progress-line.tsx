'use client';
import { Button } from './button.tsx';
import { strings } from './strings.ts';
import type { Progress } from './analysis.ts';

export function ProgressLine({ progress, onCancel }: { progress: Progress | null; onCancel?: () => void }) {
  const share = progress && progress.total > 0 ? Math.min(1, progress.done / progress.total) : null;
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
      </span>
      {onCancel ? (
        <Button tone="quiet" small onClick={onCancel}>
          {strings.common.cancel}
        </Button>
      ) : null}
    </div>
  );
}
