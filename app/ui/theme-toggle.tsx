'use client';
import { Button } from './button.tsx';
import { strings } from './strings.ts';
import { THEMES, type Theme } from './theme.ts';
import { setTheme, useTheme } from './use-theme.ts';

/** Follows the system until a person decides otherwise; the choice stays in this browser. */
export function ThemeToggle({ initial }: { initial: Theme }) {
  const theme = useTheme(initial);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <Button
      tone="quiet"
      small
      onClick={() => setTheme(next)}
      aria-label={`${strings.theme.label}: ${strings.theme[theme]}`}
      title={strings.theme.label}
    >
      {strings.theme[theme]}
    </Button>
  );
}
