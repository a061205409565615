'use client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ofRun, type AnalyzeRequest, type RunAnswer } from '@/lib/engine/index.ts';
import {
  ROOT,
  ancestorsOf,
  emptyTrie,
  growTrie,
  isBelowFold,
  partitionOf,
  trieRows,
  type Partition,
  type Trie,
  type TrieRow,
} from '@/lib/trie.ts';
import type { Setup } from '@/lib/wire.ts';
import { analyze, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';
import { useAnswer } from './use-answer.ts';

interface Opened {
  key: string;
  answer: RunAnswer;
  trie: Trie;
  expanded: ReadonlySet<string>;
  unfolded: ReadonlySet<string>;
}

export interface Unravel {
  /** `suffixes` of logits at the board's setup; the board's metric, tokens and pedigree are read off it */
  answer: RunAnswer | null;
  progress: Progress | null;
  error: string | null;
  retry: () => void;
  /** the setup has changed and the numbers shown are still those before */
  stale: boolean;
  trie: Trie | null;
  rows: TrieRow[];
  partition: Partition | null;
  /** suffixes being opened now */
  pending: ReadonlySet<string>;
  /** the last opening that failed */
  openError: string | null;
  /** how far the last long opening came */
  searchNote: string | null;
  /** a long opening, which can be cancelled */
  search: { progress: Progress | null; cancel: () => void } | null;
  toggle: (name: string) => void;
  unfold: (parent: string) => void;
  openUntil: (mass: number) => void;
  reveal: (path: string) => void;
}

const EMPTY: ReadonlySet<string> = new Set();

export function useUnravel(setup: Setup): Unravel {
  const base = requestOf(setup, 'suffixes', { byToken: true });
  const key = JSON.stringify(base);
  const root = useAnswer(causalRequestOf(setup, 'suffixes', { byToken: true }));
  const { answer, stale: answerIsStale } = root;
  const [opened, setOpened] = useState<Opened | null>(null);
  const [pending, setPending] = useState<ReadonlySet<string>>(EMPTY);
  const [openError, setOpenError] = useState<string | null>(null);
  const [searchNote, setSearchNote] = useState<string | null>(null);
  const [search, setSearch] = useState<Unravel['search']>(null);
  const current = useRef(key);

  useEffect(() => {
    current.current = key;
  }, [key]);

  useEffect(() => {
    if (!answer || answerIsStale) return;
    const root = ofRun(answer);
    const trie = growTrie(emptyTrie(root.metric), root);
    setOpened((before) =>
      before?.key === key ? { ...before, answer: root } : { key, answer: root, trie, expanded: new Set([ROOT]), unfolded: EMPTY },
    );
    setPending(EMPTY);
    setOpenError(null);
    setSearchNote(null);
  }, [answer, answerIsStale, key]);

  const stale = opened?.key !== key;

  const change = useCallback((edit: (opened: Opened) => Opened) => {
    setOpened((before) => (before && before.key === current.current ? edit(before) : before));
  }, []);

  /** Splits suffixes exactly, then shows them open. */
  const split = useCallback(
    async (
      names: string[],
      more: Partial<AnalyzeRequest>,
      options: { signal?: AbortSignal; onProgress?: (progress: Progress) => void },
    ) => {
      const answer = await analyze(
        { ...(JSON.parse(key) as AnalyzeRequest), ...more, ...(names.length > 0 ? { paths: names } : {}) },
        options,
      );
      if (current.current !== key) return null;
      change((before) => {
        const trie = growTrie(before.trie, answer);
        const expanded = new Set(before.expanded);
        for (const [name, node] of trie) {
          if (node.children !== null && before.trie.get(name)?.children !== node.children) expanded.add(name);
        }
        return { ...before, trie, expanded };
      });
      return answer;
    },
    [key, change],
  );

  const fetchChildren = useCallback(
    async (names: string[]) => {
      setPending((before) => new Set([...before, ...names]));
      setOpenError(null);
      await split(names, {}, {}).catch((error: unknown) => setOpenError(lineOf(error)));
      setPending((before) => new Set([...before].filter((name) => !names.includes(name))));
    },
    [split],
  );

  const toggle = (name: string) => {
    const node = opened?.trie.get(name);
    if (stale || !node?.open || pending.has(name)) return;
    if (node.children === null) void fetchChildren([name]);
    else change((before) => ({ ...before, expanded: toggled(before.expanded, name) }));
  };

  const reveal = useCallback(
    async (path: string) => {
      if (!opened || stale || path.includes('<') || !path.endsWith('->logits')) return;
      const ancestors = ancestorsOf(path);
      const unknown = ancestors.filter((name) => (opened.trie.get(name)?.children ?? null) === null);
      if (unknown.length > 0) await fetchChildren(unknown);
      change((before) => {
        const below = [...ancestors, path].filter((name) => isBelowFold(before.trie, name)).map((name) => before.trie.get(name)!.parent!);
        const isShown = ancestors.every((name) => before.expanded.has(name)) && below.every((name) => before.unfolded.has(name));
        if (isShown) return before;
        return { ...before, expanded: new Set([...before.expanded, ...ancestors]), unfolded: new Set([...before.unfolded, ...below]) };
      });
    },
    [opened, stale, fetchChildren, change],
  );

  const openUntil = async (mass: number) => {
    const abort = new AbortController();
    const state = (progress: Progress | null) => setSearch({ progress, cancel: () => abort.abort() });
    state(null);
    setOpenError(null);
    const options = { signal: abort.signal, onProgress: state };
    await split([], { untilMass: mass, byToken: false }, options).then(
      (answer) => setSearchNote(answer?.notes.find((note) => note.includes('%')) ?? null),
      (error: unknown) => setOpenError(lineOf(error)),
    );
    setSearch(null);
  };

  const rows = useMemo(() => (opened ? trieRows(opened.trie, opened) : []), [opened]);
  const partition = useMemo(() => (opened ? partitionOf(opened.trie, opened.answer.metric) : null), [opened]);

  return {
    answer: opened?.answer ?? null,
    progress: root.progress,
    error: root.error,
    retry: root.retry,
    stale,
    trie: opened?.trie ?? null,
    rows,
    partition,
    pending,
    openError,
    searchNote,
    search,
    toggle,
    unfold: (parent) => change((before) => ({ ...before, unfolded: toggled(before.unfolded, parent) })),
    openUntil: (mass) => void openUntil(mass),
    reveal: (path) => void reveal(path),
  };
}

function toggled(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(name)) next.add(name);
  return next;
}
