'use client';
import { useLayoutEffect, useState, type RefObject } from 'react';

/** Rows drawn beyond what is in sight, on both sides. */
const BEYOND = 14;
/** The window moves by so many rows at once, so that most frames of scrolling draw nothing. */
const STEP = 7;

export interface RowWindow {
  from: number;
  /** the first that is not drawn */
  to: number;
}

/** Which of many rows of one height are to be drawn. It measures nothing but the scroller, so a million rows cost as little as ten. */
export function useRowWindow(scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number): RowWindow {
  const [shown, setShown] = useState<RowWindow>({ from: 0, to: 60 });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const read = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / rowHeight) - BEYOND);
      const from = first - (first % STEP);
      const to = from + Math.ceil(element.clientHeight / rowHeight) + 2 * BEYOND + STEP;
      setShown((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    read();
    element.addEventListener('scroll', read, { passive: true });
    const resized = new ResizeObserver(read);
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', read);
      resized.disconnect();
    };
  }, [scroller, rowHeight]);

  return { from: Math.min(shown.from, Math.max(0, count - 1)), to: Math.min(shown.to, count) };
}
