'use client';
import type { Kind } from '@/lib/engine/index.ts';
import { formatShare, formatSigned } from '@/lib/figures/numbers.ts';
import { CopyButton } from '@/app/ui/copy-button.tsx';
import { KindBadge } from '@/app/ui/kind-badge.tsx';

interface NumberLineProps {
  name: string;
  kind: Kind;
  value: number;
  /** of which it is a share; null = it is none */
  whole?: number | null;
  testId?: string;
}

/** One number by name: what kind it is, how much of the metric, and at full precision for whoever takes it away. */
export function NumberLine({ name, kind, value, whole = null, testId }: NumberLineProps) {
  return (
    <p className="grid grid-cols-[1fr_auto_3.5rem_auto] items-center gap-x-2 text-sm">
      <span className="flex flex-wrap items-center gap-x-2 text-soft">
        {name} <KindBadge kind={kind} />
      </span>
      <span className="text-right font-mono" data-testid={testId} data-exact={value}>
        {formatSigned(value)}
      </span>
      <span className="text-right font-mono text-xs text-soft">{whole === null ? '' : formatShare(value, whole)}</span>
      <CopyButton text={String(value)} what={name} />
    </p>
  );
}
