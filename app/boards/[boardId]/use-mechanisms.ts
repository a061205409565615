'use client';
import { useMemo } from 'react';
import { groupAnchor } from '@/lib/board/anchors.ts';
import { putGroup, readGroups, removeGroup } from '@/lib/board/board-doc.ts';
import type { Group } from '@/lib/board/records.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

export interface Mechanisms {
  /** oldest first */
  list: readonly Group[];
  /** Makes one of paths, suffixes, edges or nodes and shows it; without a name it gets one. */
  create: (members: readonly string[], name?: string) => Group;
  rename: (id: string, name: string) => void;
  add: (id: string, members: readonly string[]) => void;
  takeOut: (id: string, member: string) => void;
  remove: (id: string) => void;
}

/** The board's mechanisms and what editors do with them: edits of the board document, which can be undone. */
export function useMechanisms(): Mechanisms {
  const { session, select } = useBoard();
  const list = useLive(session.boardDoc, readGroups).records;

  return useMemo(() => {
    const { boardDoc } = session;
    const change = (id: string, edit: (group: Group) => Group) => {
      // As it is now: a render may be behind.
      const group = readGroups(boardDoc).records.find((one) => one.id === id);
      if (group) putGroup(boardDoc, edit(group));
    };
    return {
      list,
      create(members, name = '') {
        const group: Group = {
          id: crypto.randomUUID(),
          name: name.trim() || strings.mechanisms.newName(list.length + 1),
          members: [...members],
          createdAt: Date.now(),
        };
        putGroup(boardDoc, group);
        select(groupAnchor(group.id));
        return group;
      },
      rename: (id, name) => change(id, (group) => ({ ...group, name })),
      add: (id, members) => change(id, (group) => ({ ...group, members: [...group.members, ...members] })),
      takeOut: (id, member) => change(id, (group) => ({ ...group, members: group.members.filter((other) => other !== member) })),
      remove: (id) => removeGroup(boardDoc, id),
    };
  }, [session, list, select]);
}
