'use client';
import { useState } from 'react';
import { Button } from './button.tsx';
import { strings } from './strings.ts';
import { THEMES, THEME_COOKIE, type Theme } from './theme.ts';

const YEAR = 60 * 60 * 24 * 365;

/** Follows the system until a person decides otherwise; the choice stays in this browser. */
export function ThemeToggle({ initial }: { initial: Theme }) {
  const [theme, setTheme] = useState(initial);

  const change = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
    setTheme(next);
    document.cookie = `${THEME_COOKIE}=${next}; path=/; max-age=${YEAR}; samesite=lax`;
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
  };

  return (
    <Button tone="quiet" small onClick={change} aria-label={`${strings.theme.label}: ${strings.theme[theme]}`} title={strings.theme.label}>
      {strings.theme[theme]}
    </Button>
  );
}
