import type { ReactNode } from 'react';

interface ScrollRegionProps {
  label: string;
  /** how high it may be; it scrolls down, too */
  className?: string;
  children: ReactNode;
}

/** Wide content that scrolls by itself; it takes the focus so that the keyboard can scroll it, too. */
export function ScrollRegion({ label, className = 'overflow-x-auto', children }: ScrollRegionProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div role="region" aria-label={label} tabIndex={0} className={className}>
      {children}
    </div>
  );
}
