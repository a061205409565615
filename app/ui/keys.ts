/**
 * Keys as they are written in a command: modifiers in this order, then the key as KeyboardEvent.key has it, in lower case.
 * `mod` is Ctrl, or ⌘ on a Mac: `mod+k`, `mod+shift+z`, `l`, `?`, `/`.
 */
export type Keys = string;

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

export function pressed(keys: Keys, event: Pressed): boolean {
  const parts = keys.split('+');
  const key = parts.at(-1) ?? '';
  if (event.altKey || (event.ctrlKey || event.metaKey) !== parts.includes('mod')) return false;
  // Where Shift makes a sign, as in `?`, the sign is what counts.
  if (/^[a-z]$/.test(key) && event.shiftKey !== parts.includes('shift')) return false;
  return event.key.toLowerCase() === key;
}

/** As a person reads them: `Ctrl Shift Z`. */
export function printKeys(keys: Keys): string {
  return keys
    .split('+')
    .map((part) => NAMES[part] ?? part.toUpperCase())
    .join(' ');
}

const NAMES: Record<string, string> = { mod: 'Ctrl', shift: 'Shift', escape: 'Esc' };

/** As `aria-keyshortcuts` wants them. */
export function ariaKeys(keys: Keys): string {
  return keys
    .split('+')
    .map((part) => ({ mod: 'Control', shift: 'Shift', escape: 'Escape' })[part] ?? part.toUpperCase())
    .join('+');
}
