import type { ReactNode } from 'react';

/** One titled part of a panel. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="border-b border-line px-3 py-2.5">
      <div className="mb-1.5 flex items-center justify-between gap-2">
        <h3 className="text-xs font-semibold text-soft">{title}</h3>
        {aside}
      </div>
      {children}
    </section>
  );
}
