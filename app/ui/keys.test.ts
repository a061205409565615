import { expect, it } from 'vitest';
import { ariaKeys, pressed, printKeys } from './keys.ts';

const press = (key: string, more: object = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

it('tells keys by their modifiers', () => {
  expect(pressed('mod+k', press('k', { ctrlKey: true }))).toBe(true);
  expect(pressed('mod+k', press('k', { metaKey: true }))).toBe(true);
  expect(pressed('mod+k', press('k'))).toBe(false);
  expect(pressed('mod+z', press('Z', { ctrlKey: true, shiftKey: true }))).toBe(false);
  expect(pressed('mod+shift+z', press('Z', { ctrlKey: true, shiftKey: true }))).toBe(true);
  expect(pressed('l', press('l', { ctrlKey: true }))).toBe(false);
  expect(pressed('l', press('l', { altKey: true }))).toBe(false);
});

it('takes a sign as it is made', () => {
  expect(pressed('?', press('?', { shiftKey: true }))).toBe(true);
  expect(pressed('1', press('1'))).toBe(true);
});

it('writes keys for people and for assistive technology', () => {
  expect(printKeys('mod+shift+z')).toBe('Ctrl Shift Z');
  expect(ariaKeys('mod+k')).toBe('Control+K');
});
