'use client';
import { useCallback, useMemo } from 'react';
import { groupBy } from '@/lib/engine/collections.ts';
import { readGroups, readLabels } from '@/lib/board/board-doc.ts';
import type { BoardSession } from './board-session.ts';
import { useDiscussion } from './board-context.tsx';
import type { RowMarks } from './trie-row.tsx';
import { useLive } from './use-live.ts';
import { lookersOf, type Peer } from './use-presence.ts';

/** Labels, mechanisms, comments and lookers by path. */
export function useMarks(session: BoardSession, peers: readonly Peer[]): (path: string) => RowMarks {
  const labels = useLive(session.boardDoc, readLabels).records;
  const groups = useLive(session.boardDoc, readGroups).records;
  const { threads, comments } = useDiscussion(session);

  const labelsAt = useMemo(() => groupBy(labels, (label) => label.anchor), [labels]);
  const mechanismsAt = useMemo(() => {
    const names = groups.flatMap(({ name, members }) => members.map((member) => ({ name, member })));
    return groupBy(names, ({ member }) => member);
  }, [groups]);
  const commentsAt = useMemo(() => {
    const anchors = new Map(threads.map((thread) => [thread.id, thread.anchor]));
    return groupBy(comments, (comment) => anchors.get(comment.threadId) ?? '');
  }, [threads, comments]);
  const lookers = useMemo(() => lookersOf(peers), [peers]);

  const known = useMemo(() => {
    const marks = new Map<string, RowMarks>();
    const paths = new Set([...labelsAt.keys(), ...mechanismsAt.keys(), ...commentsAt.keys(), ...lookers.keys()]);
    for (const path of paths) {
      marks.set(path, {
        labels: labelsAt.get(path) ?? [],
        mechanisms: mechanismsAt.get(path)?.map(({ name }) => name) ?? NONE,
        comments: commentsAt.get(path)?.length ?? 0,
        lookers: lookers.get(path) ?? [],
      });
    }
    return marks;
  }, [labelsAt, mechanismsAt, commentsAt, lookers]);
  return useCallback((path) => known.get(path) ?? UNMARKED, [known]);
}

const NONE: readonly string[] = [];
/** One and the same, so that rows without marks need not be drawn again. */
const UNMARKED: RowMarks = { labels: [], mechanisms: NONE, comments: 0, lookers: [] };
