'use client';
import { formatSigned } from '@/lib/figures/numbers.ts';
import { SignedBar } from '@/app/ui/signed-bar.tsx';
import { useBoard } from './board-context.tsx';
import { useLit } from './links.ts';

export interface ListedValue {
  name: string;
  value: number;
  /** null: it names nothing that can be shown */
  anchor: string | null;
}

interface ValueListProps {
  label: string;
  values: readonly ListedValue[];
}

/** A few values with names, as bars on one scale; what can be shown is shown at a click and lights up everywhere. */
export function ValueList({ label, values }: ValueListProps) {
  const scale = values.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  return (
    <ul aria-label={label} className="grid gap-px">
      {values.map((listed) => (
        <Row key={listed.name} {...listed} scale={scale} />
      ))}
    </ul>
  );
}

function Row({ name, value, anchor, scale }: ListedValue & { scale: number }) {
  const { links, select } = useBoard();
  const lit = useLit(links, anchor ?? '').own;
  return (
    <li
      data-value-of={name}
      data-exact={value}
      onPointerEnter={() => anchor !== null && links.hover(anchor)}
      onPointerLeave={() => anchor !== null && links.hover(null)}
      className={`grid grid-cols-[minmax(0,1fr)_4rem_4rem] items-center gap-2 text-xs ${lit ? 'bg-hover' : ''}`}
    >
      {anchor === null ? (
        <span className="truncate font-mono text-soft" title={name}>
          {name}
        </span>
      ) : (
        <button
          type="button"
          onClick={() => select(anchor)}
          title={name}
          className="truncate rounded-[2px] text-left font-mono underline decoration-dotted underline-offset-2 hover:bg-hover"
        >
          {name}
        </button>
      )}
      <SignedBar value={value} scale={scale} />
      <span className="text-right font-mono">{formatSigned(value)}</span>
    </li>
  );
}
