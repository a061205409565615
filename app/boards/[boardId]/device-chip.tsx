'use client';
import type { Answer } from '@/lib/engine/index.ts';
import { formatError } from '@/lib/figures/numbers.ts';
import { useComputing } from '@/app/ui/computing.ts';
import { strings } from '@/app/ui/strings.ts';

interface DeviceChipProps {
  answer: Answer | null;
  onOpen: () => void;
}

/** What computes the numbers, and how well known sums hold there. */
export function DeviceChip({ answer, onOpen }: DeviceChipProps) {
  const { where, device, fault, fellBack } = useComputing();
  const words = strings.device;
  const state =
    where === 'server' ? identityError(answer) : device ? words.selfTest(formatError(device.error)) : fault ? null : words.starting;
  const here = where === 'browser';
  const backend = here ? device && { provider: device.provider, dtype: 'float32' } : answer?.backend;
  return (
    <button
      type="button"
      data-testid="device"
      title={fault ?? fellBack ?? words.change}
      aria-haspopup="dialog"
      onClick={onOpen}
      className={`rounded-[3px] border px-1.5 text-xs hover:bg-hover ${fault || (here && fellBack) ? 'border-fault text-fault' : 'border-line text-soft'}`}
    >
      <span className="sr-only">{words.change}. </span>
      {[
        here ? words.here : null,
        backend ? `${backend.provider} ${backend.dtype.replace('float', 'fp')}` : null,
        here && fellBack && device ? words.fellBack : null,
        state,
        here && !device ? fault : null,
      ]
        .filter((part) => part !== null)
        .join(', ')}
    </button>
  );
}

function identityError(answer: Answer | null): string | null {
  return answer?.error === undefined ? null : `${strings.board.identityError} ${formatError(answer.error)}`;
}
