'use client';
import { useId, type ReactNode } from 'react';
import type { Kind } from '@/lib/engine/index.ts';
import { KindBadge } from '@/app/ui/kind-badge.tsx';

interface ViewHeadingProps {
  /** of the heading, for the section that it names */
  id?: string;
  title: string;
  /** null: its parts are of several kinds, and each says its own */
  kind: Kind | null;
  meaning: string;
  /** part of a view: one level lower, and smaller */
  part?: boolean;
  /** what it can be taken away as */
  exports?: ReactNode;
  /** what can be set */
  children?: ReactNode;
}

/** What a view or a part of one is, what kind of numbers it shows, what can be set, and how to take it away. */
export function ViewHeading({ id, title, kind, meaning, part = false, exports = null, children = null }: ViewHeadingProps) {
  const own = useId();
  const Heading = part ? 'h3' : 'h2';
  return (
    <div className={`flex flex-wrap items-center gap-x-3 gap-y-1 ${part ? '' : 'border-b border-line px-3 py-2'}`}>
      <Heading id={id ?? own} className={part ? 'text-xs font-semibold' : 'text-sm font-semibold'}>
        {title}
      </Heading>
      {kind === null ? null : <KindBadge kind={kind} />}
      {children}
      {exports === null ? null : <span className="ml-auto flex flex-wrap items-center">{exports}</span>}
      <p className="w-full text-xs text-soft">{meaning}</p>
    </div>
  );
}
