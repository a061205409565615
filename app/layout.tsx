import type { Metadata, Viewport } from 'next';
import { cookies } from 'next/headers';
import type { ReactNode } from 'react';
import { strings } from './ui/strings.ts';
import { THEME_COOKIE, themeOf } from './ui/theme.ts';
import './globals.css';

export const metadata: Metadata = {
  title: { default: strings.product, template: `%s · ${strings.product}` },
  description: strings.tagline,
};

export const viewport: Viewport = { width: 'device-width', initialScale: 1, colorScheme: 'light dark' };

export default async function Layout({ children }: { children: ReactNode }) {
  const theme = themeOf((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang="en" {...(theme === 'system' ? {} : { 'data-theme': theme })} suppressHydrationWarning>
      <body>{children}</body>
    </html>
  );
}
