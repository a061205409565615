'use client';
import { useEffect, useState } from 'react';

export type Colour = 'positive' | 'negative' | 'line' | 'paper';

export type Colours = Record<Colour, readonly [red: number, green: number, blue: number]>;

const NAMES: readonly Colour[] = ['positive', 'negative', 'line', 'paper'];

/** The page's colours as numbers, for a canvas, which knows no custom property; null until they are read. */
export function useColours(): Colours | null {
  const [colours, setColours] = useState<Colours | null>(null);
  useEffect(() => {
    const read = () => setColours(coloursOf(document.documentElement));
    read();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', read);
    const chosen = new MutationObserver(read);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      scheme.removeEventListener('change', read);
      chosen.disconnect();
    };
  }, []);
  return colours;
}

function coloursOf(root: HTMLElement): Colours {
  const probe = document.createElement('span');
  root.append(probe);
  const read = (name: Colour) => {
    probe.style.color = `var(--${name})`;
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/\d+(\.\d+)?/g) ?? []).map(Number);
    return [red, green, blue] as const;
  };
  const colours = Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Colours;
  probe.remove();
  return colours;
}
