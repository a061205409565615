'use client';
import { useEffect, useRef } from 'react';
import { pressed, type Keys } from './keys.ts';

/** Something a person can do here: in the palette, in the help sheet where it has keys, and by these keys. */
export interface Command {
  id: string;
  title: string;
  /** heading under which the palette lists it */
  group: string;
  keys?: Keys;
  /** that do the same and are nowhere said */
  also?: readonly Keys[];
  /** further words by which the palette finds it */
  words?: string;
  run: () => void;
}

const FIELDS = 'input, textarea, select, [contenteditable]';

/** Runs commands by their keys; while a text is being written or a dialog is open, only those that are held down with Ctrl. */
export function useShortcuts(commands: readonly Command[]): void {
  const current = useRef(commands);
  useEffect(() => {
    current.current = commands;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const found = current.current.find(({ keys, also = [] }) => [...(keys ? [keys] : []), ...also].some((one) => pressed(one, event)));
      if (!found) return;
      const inField = event.target instanceof Element && event.target.closest(FIELDS) !== null;
      const inDialog = document.querySelector('dialog[open]') !== null;
      if ((inField || inDialog) && found.keys !== PALETTE_KEYS) return;
      event.preventDefault();
      found.run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

export const PALETTE_KEYS = 'mod+k';
