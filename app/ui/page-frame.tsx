import Link from 'next/link';
import { cookies } from 'next/headers';
import type { ReactNode } from 'react';
import { strings } from './strings.ts';
import { ThemeToggle } from './theme-toggle.tsx';
import { THEME_COOKIE, themeOf } from './theme.ts';

/** The frame of every screen except the board. */
export async function PageFrame({ children, person }: { children: ReactNode; person?: string | undefined }) {
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <div className="mx-auto flex min-h-dvh max-w-4xl flex-col px-4 sm:px-6">
      <header className="flex items-center justify-between gap-4 border-b border-line py-3">
        <Link href="/" className="rounded-[2px] text-base font-semibold tracking-tight">
          {strings.product}
        </Link>
        <span className="flex items-center gap-2 text-xs text-soft">
          {person}
          <ThemeToggle initial={theme} />
        </span>
      </header>
      <main className="flex-1 py-6">{children}</main>
    </div>
  );
}
