import type { Kind } from '@/lib/engine/index.ts';
import { strings } from './strings.ts';

const MARKS: Record<Kind, { sign: string; look: string }> = {
  identity: { sign: '=', look: 'border-solid border-strong' },
  approximation: { sign: '≈', look: 'border-dashed border-strong' },
  causal: { sign: '⇒', look: 'border-solid border-ink bg-ink text-paper' },
  weights: { sign: 'W', look: 'border-dotted border-strong' },
};

/** Says what sort of number stands beside it. */
export function KindBadge({ kind }: { kind: Kind }) {
  const { sign, look } = MARKS[kind];
  return (
    <span
      title={strings.kinds[kind]}
      className={`inline-flex shrink-0 items-center gap-1 rounded-[3px] border px-1 text-2xs font-medium leading-4 ${look}`}
    >
      <span aria-hidden="true" className="font-mono">
        {sign}
      </span>
      {strings.kindNames[kind]}
    </span>
  );
}
