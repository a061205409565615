'use client';
import { useSyncExternalStore } from 'react';
import { THEME_COOKIE, type Theme } from './theme.ts';

const YEAR = 60 * 60 * 24 * 365;
const listeners = new Set<() => void>();
/** null until it is changed on this page */
let chosen: Theme | null = null;

export function setTheme(theme: Theme): void {
  chosen = theme;
  document.cookie = `${THEME_COOKIE}=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  for (const listener of listeners) listener();
}

/** `initial`: what the server read from the cookie. */
export function useTheme(initial: Theme): Theme {
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return useSyncExternalStore(
    subscribe,
    () => chosen ?? initial,
    () => initial,
  );
}
