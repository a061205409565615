import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Links } from './links.ts';
import type { Peer } from './use-presence.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ada: Peer = { clientId: 1, user: { id: 'ada', name: 'Ada', color: '#111111' }, selection: null, hover: 'm0', self: false };

it('tells where the cursor ended, not every place it passed', () => {
  const told: (string | null)[] = [];
  const links = new Links((anchor) => told.push(anchor));
  const seen: (string | null)[] = [];
  links.subscribe(() => seen.push(links.hovered));
  for (const anchor of ['m0', 'm1', 'm1', null, 'm2']) links.hover(anchor);
  expect(seen).toEqual(['m0', 'm1', null, 'm2']);
  expect(told).toEqual([]);
  vi.runAllTimers();
  expect(told).toEqual(['m2']);
});

it('knows whose cursor else is where, but not one’s own', () => {
  const links = new Links(() => {});
  const heard = vi.fn<() => void>();
  links.subscribe(heard);
  links.hear([ada, { ...ada, clientId: 2, self: true, hover: 'm9' }]);
  expect(links.others).toEqual(new Map([['m0', [ada.user]]]));
  links.hear([{ ...ada, hover: null, selection: 'm2' }]);
  expect(links.others.size).toBe(0);
  expect(links.pointed).toEqual(new Map([['m2', [ada.user]]]));
  links.hear([]);
  links.hear([]);
  expect(links.pointed.size).toBe(0);
  expect(heard).toHaveBeenCalledTimes(3);
});
