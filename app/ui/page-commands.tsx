'use client';
import dynamic from 'next/dynamic';
import { useState } from 'react';
import { Button } from './button.tsx';
import { PALETTE_KEYS, useShortcuts } from './commands.ts';
import { ariaKeys, printKeys } from './keys.ts';
import { boards, colours, pages } from './places.ts';
import { strings } from './strings.ts';

const Palette = dynamic(() => import('./palette.tsx').then((palette) => palette.Palette), { ssr: false });

/** The palette of every page that has nothing of its own to do. */
export function PageCommands({ signedIn }: { signedIn: boolean }) {
  const [open, setOpen] = useState(false);
  const show = () => setOpen(true);
  useShortcuts([{ id: 'palette', title: strings.commands.palette, group: '', keys: PALETTE_KEYS, run: show }]);
  return (
    <>
      <Button tone="quiet" small onClick={show} aria-keyshortcuts={ariaKeys(PALETTE_KEYS)}>
        {strings.commands.button}
        <kbd className="font-mono text-2xs max-sm:hidden">{printKeys(PALETTE_KEYS)}</kbd>
      </Button>
      {open ? (
        <Palette commands={[...pages(), ...colours()]} {...(signedIn ? { more: boards } : {})} onClose={() => setOpen(false)} />
      ) : null}
    </>
  );
}
