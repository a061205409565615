'use client';
import type { MouseEvent } from 'react';
import type { Figure } from '@/lib/figures/term-figures.ts';
import { ExportBar } from '@/app/ui/export-bar.tsx';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';

interface FigureViewProps {
  figure: Figure;
  /** the name that it is downloaded under, without an ending */
  file: string;
  onSelect: (name: string) => (() => void) | null;
}

/** A chart. Clicking a part of it selects what the part is about; the table beside it does so by keyboard. */
export function FigureView({ figure, file, onSelect }: FigureViewProps) {
  const onClick = (event: MouseEvent) => {
    const name = (event.target as Element).closest('[data-name]')?.getAttribute('data-name');
    if (name) onSelect(name)?.();
  };
  return (
    <figure className="max-w-full min-w-0">
      <figcaption className="flex items-center justify-between gap-3 text-xs text-soft">
        {figure.title}
        <ExportBar what={figure.title} file={file} svg={() => figure.svg} />
      </figcaption>
      <ScrollRegion label={figure.title}>
        {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the table has the keys */}
        <div onClick={onClick} className="[&_[data-name]]:cursor-pointer" dangerouslySetInnerHTML={{ __html: figure.svg }} />
      </ScrollRegion>
    </figure>
  );
}
