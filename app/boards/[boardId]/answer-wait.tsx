'use client';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import type { Progress } from '@/app/ui/analysis.ts';
import { strings } from '@/app/ui/strings.ts';

export interface Waited {
  progress: Progress | null;
  error: string | null;
  cancelled: boolean;
  retry: () => void;
  cancel: () => void;
}

/** In place of numbers that are not there: how far they are, or why they will not come. */
export function AnswerWait({ state: { progress, error, cancelled, retry, cancel } }: { state: Waited }) {
  if (error === null && !cancelled) return <ProgressLine progress={progress} onCancel={cancel} />;
  return (
    <div>
      {error === null ? <p className="text-sm text-soft">{strings.analyses.cancelled}</p> : <Fault>{error}</Fault>}
      <Button small className="mt-2" onClick={retry}>
        {strings.common.tryAgain}
      </Button>
    </div>
  );
}
