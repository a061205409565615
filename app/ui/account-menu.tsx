'use client';
import Link from 'next/link';
import { useEffect, useId, useRef, useState } from 'react';
import type { Author } from '@/lib/wire.ts';
import { Button } from './button.tsx';
import { SignOutButton } from './sign-out.tsx';
import { strings } from './strings.ts';

interface AccountMenuProps {
  person: Author;
  guest: boolean;
}

const ITEM = 'block w-full rounded-[3px] px-2 py-1 text-left text-sm hover:bg-hover';

/** Who is signed in, and what they can do about it; on every page. */
export function AccountMenu({ person, guest }: AccountMenuProps) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(false);
    };
    window.addEventListener('pointerdown', onPointerDown);
    return () => window.removeEventListener('pointerdown', onPointerDown);
  }, [open]);

  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape and leaving it, in any of its parts
    <div
      ref={place}
      className="relative"
      onBlur={(event) => event.relatedTarget !== null && !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        setOpen(false);
        button.current?.focus();
      }}
    >
      <Button
        ref={button}
        tone="quiet"
        small
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={strings.menu.button(person.name)}
        onClick={() => setOpen(!open)}
      >
        <span className="max-w-32 truncate">{person.name}</span>
        <span aria-hidden="true" className="text-2xs">
          ▾
        </span>
      </Button>
      {open ? (
        <ul id={id} className="absolute top-full right-0 z-40 mt-1 w-44 rounded-[3px] border border-strong bg-paper p-1 text-ink shadow-lg">
          <li className="truncate border-b border-line px-2 pb-1 text-xs text-soft">
            {person.name}
            {guest ? ` · ${strings.menu.guest}` : null}
          </li>
          <li className="pt-1">
            <Link href="/" prefetch={false} className={ITEM}>
              {strings.menu.boards}
            </Link>
          </li>
          <li>
            <Link href="/account" prefetch={false} className={ITEM}>
              {strings.menu.account}
            </Link>
          </li>
          <li>
            <SignOutButton personId={person.id} guest={guest} className={ITEM} />
          </li>
        </ul>
      ) : null}
    </div>
  );
}
