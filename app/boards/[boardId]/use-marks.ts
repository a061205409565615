'use client';
import { useCallback, useMemo } from 'react';
import { groupBy } from '@/lib/engine/collections.ts';
import { readLabels } from '@/lib/board/board-doc.ts';
import type { BoardSession } from './board-session.ts';
import { useDiscussion } from './board-context.tsx';
import type { RowMarks } from './trie-row.tsx';
import { useLive } from './use-live.ts';
import { lookersOf, type Peer } from './use-presence.ts';

/** Labels, comments and lookers by path. */
export function useMarks(session: BoardSession, peers: readonly Peer[]): (path: string) => RowMarks {
  const labels = useLive(session.boardDoc, readLabels).records;
  const { threads, comments } = useDiscussion(session);

  const labelsAt = useMemo(() => groupBy(labels, (label) => label.anchor), [labels]);
  const commentsAt = useMemo(() => {
    const anchors = new Map(threads.map((thread) => [thread.id, thread.anchor]));
    return groupBy(comments, (comment) => anchors.get(comment.threadId) ?? '');
  }, [threads, comments]);
  const lookers = useMemo(() => lookersOf(peers), [peers]);

  const known = useMemo(() => {
    const marks = new Map<string, RowMarks>();
    const paths = new Set([...labelsAt.keys(), ...commentsAt.keys(), ...lookers.keys()]);
    for (const path of paths) {
      marks.set(path, {
        labels: labelsAt.get(path) ?? [],
        comments: commentsAt.get(path)?.length ?? 0,
        lookers: lookers.get(path) ?? [],
      });
    }
    return marks;
  }, [labelsAt, commentsAt, lookers]);
  return useCallback((path) => known.get(path) ?? UNMARKED, [known]);
}

/** One and the same, so that rows without marks need not be drawn again. */
const UNMARKED: RowMarks = { labels: [], comments: 0, lookers: [] };
