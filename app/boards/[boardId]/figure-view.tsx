'use client';
import type { MouseEvent } from 'react';
import type { Figure } from '@/lib/figures/term-figures.ts';
import { Button } from '@/app/ui/button.tsx';
import { download } from '@/app/ui/download.ts';
import { ScrollRegion } from '@/app/ui/scroll-region.tsx';
import { strings } from '@/app/ui/strings.ts';

interface FigureViewProps {
  figure: Figure;
  /** the name that the SVG is downloaded under */
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
        <Button
          tone="quiet"
          small
          onClick={() => download(figure.svg, file, 'image/svg+xml')}
          aria-label={`${strings.analyses.svg}: ${figure.title}`}
        >
          {strings.analyses.svg}
        </Button>
      </figcaption>
      <ScrollRegion label={figure.title}>
        {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the table has the keys */}
        <div onClick={onClick} className="[&_[data-name]]:cursor-pointer" dangerouslySetInnerHTML={{ __html: figure.svg }} />
      </ScrollRegion>
    </figure>
  );
}
