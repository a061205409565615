import Link from 'next/link';
import { cookies } from 'next/headers';
import type { ReactNode } from 'react';
import { AccountMenu } from './account-menu.tsx';
import { NotificationBell } from './notification-bell.tsx';
import { PageCommands } from './page-commands.tsx';
import { strings } from './strings.ts';
import { ThemeToggle } from './theme-toggle.tsx';
import { THEME_COOKIE, themeOf } from './theme.ts';
import { visitor } from './visitor.ts';

/** The frame of every screen except the board. */
export async function PageFrame({ children }: { children: ReactNode }) {
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  const person = await visitor();
  return (
    <div className="mx-auto flex min-h-dvh max-w-4xl flex-col px-4 sm:px-6">
      <header className="flex items-center justify-between gap-4 border-b border-line py-3">
        <Link href="/" prefetch={false} className="rounded-[2px] text-base font-semibold tracking-tight">
          {strings.product}
        </Link>
        <span className="flex items-center gap-2 text-xs text-soft">
          {person ? <NotificationBell /> : null}
          <PageCommands signedIn={person !== null} />
          {person ? (
            <AccountMenu person={{ id: person.id, name: person.name }} guest={person.guest} />
          ) : (
            <Link href="/sign-in" prefetch={false} className="underline underline-offset-2">
              {strings.menu.signIn}
            </Link>
          )}
          <ThemeToggle initial={theme} />
        </span>
      </header>
      <main className="flex-1 py-6">{children}</main>
    </div>
  );
}
