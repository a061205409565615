'use client';
import { useCallback, useEffect, useState } from 'react';
import { forget, store, storeKey, stored } from '@/app/ui/browser-store.ts';
import { strings } from '@/app/ui/strings.ts';
import { lastChanges, type Change, type OwnEdit } from './own-edits.ts';

/** Edits that cannot be sent any more, kept in this browser until this person drops them. */
export interface KeptAside {
  id: string;
  at: number;
  why: keyof typeof strings.aside.why;
  changes: Change[];
}

const TOLD = 'pathboard:aside';

/** False where the browser could not keep them. */
export function keepAside(personId: string, boardId: string, why: KeptAside['why'], edits: readonly OwnEdit[]): boolean {
  const key = storeKey('aside', personId, boardId);
  const one: KeptAside = { id: crypto.randomUUID(), at: Date.now(), why, changes: lastChanges(edits) };
  const kept = store(key, [...(stored<KeptAside[]>(key) ?? []), one]);
  window.dispatchEvent(new Event(TOLD));
  return kept;
}

export interface Aside {
  list: readonly KeptAside[];
  drop: (id: string) => void;
}

export function useKeptAside(personId: string, boardId: string): Aside {
  const key = storeKey('aside', personId, boardId);
  const [list, setList] = useState<readonly KeptAside[]>([]);

  useEffect(() => {
    const read = () => setList(stored<KeptAside[]>(key) ?? []);
    read();
    for (const event of [TOLD, 'storage']) window.addEventListener(event, read);
    return () => {
      for (const event of [TOLD, 'storage']) window.removeEventListener(event, read);
    };
  }, [key]);

  const drop = useCallback(
    (id: string) => {
      const rest = (stored<KeptAside[]>(key) ?? []).filter((one) => one.id !== id);
      if (rest.length === 0) forget(key);
      else store(key, rest);
      setList(rest);
    },
    [key],
  );
  return { list, drop };
}

/** One line for each change. */
export function linesOf(changes: readonly Change[]): string[] {
  return changes.map(({ map, key, value }) => {
    if (map === 'labels') {
      const label = value as { anchor: string; text: string } | null;
      return label ? strings.aside.label(label.text, label.anchor) : strings.aside.labelRemoved;
    }
    if (map === 'groups') {
      const group = value as { name: string } | null;
      return group ? strings.aside.mechanism(group.name) : strings.aside.mechanismRemoved;
    }
    if (map === 'members') {
      const member = value as { anchor: string } | null;
      return member ? strings.aside.member(member.anchor) : strings.aside.memberRemoved;
    }
    if (key === 'title') return strings.aside.title(String(value ?? ''));
    return strings.aside.setup(Object.entries(value ?? {}).map(([name, part]) => `${name} ${JSON.stringify(part)}`));
  });
}
