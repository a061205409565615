'use client';
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { ofRun, type AnalyzeRequest, type RunAnswer } from '@/lib/engine/index.ts';
import { formatShare } from '@/lib/figures/numbers.ts';
import { unpackOpen } from '@/lib/trie-address.ts';
import type { TrieRow } from '@/lib/trie-rows.ts';
import { ancestorsOf, type Partition, type Trie } from '@/lib/trie.ts';
import { UnravelState, type Filter, type Unravelled } from '@/lib/unravel.ts';
import type { Setup } from '@/lib/wire.ts';
import { analyze, type Progress } from '@/app/ui/analysis.ts';
import { lineOf } from '@/app/ui/request.ts';
import { causalRequestOf, requestOf } from '@/app/ui/setup-request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useAnswer } from './use-answer.ts';
import { useSetting } from './use-setting.ts';

interface Opened {
  key: string;
  answer: RunAnswer;
  state: UnravelState;
}

export interface Unravel {
  /** `suffixes` of logits at the board's setup; the board's metric, tokens and pedigree are read off it */
  answer: RunAnswer | null;
  progress: Progress | null;
  error: string | null;
  retry: () => void;
  cancelled: boolean;
  cancel: () => void;
  /** the setup has changed and the numbers shown are still those before */
  stale: boolean;
  trie: Trie | null;
  rows: readonly TrieRow[];
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
  filter: (filter: Filter | null) => void;
  /** finds out from which tokens these suffixes come, or the largest */
  learn: (names?: readonly string[]) => void;
}

const EMPTY: ReadonlySet<string> = new Set();
const NOTHING_SEEN: Pick<Unravelled, 'rows'> & { partition: null } = { rows: [], partition: null };
/** Suffixes opened by one request of a search. */
const BATCH = { first: 4, most: 64 };
/** Nodes beyond which no search goes on by itself. */
const ROOM = 150_000;
/** Suffixes of an address that are opened by one request. */
const RESTORED_AT_ONCE = 256;
const ADDRESS_PAUSE_MS = 250;
/** Suffixes split by token for one look at a token. */
const LEARNED_AT_ONCE = 24;
/** Others that are split along with one that is under the cursor, so that moving on seldom has to ask again. */
const LEARNED_BESIDE = 8;

export function useUnravel(setup: Setup): Unravel {
  const { links } = useBoard();
  const base = requestOf(setup, 'suffixes', { byToken: true });
  const key = JSON.stringify(base);
  const root = useAnswer(causalRequestOf(setup, 'suffixes', { byToken: true }));
  const { answer, stale: answerIsStale } = root;
  const [opened, setOpened] = useState<Opened | null>(null);
  const [pending, setPending] = useState<ReadonlySet<string>>(EMPTY);
  const [openError, setOpenError] = useState<string | null>(null);
  const [searchNote, setSearchNote] = useState<string | null>(null);
  const [search, setSearch] = useState<Unravel['search']>(null);
  const [address, setAddress] = useSetting('unravel', 'open');
  const current = useRef(key);
  const running = useRef<AbortController | null>(null);
  const state = opened?.state ?? null;
  const seen = useSeen(state);

  useEffect(() => {
    current.current = key;
    return () => running.current?.abort();
  }, [key]);

  /** Splits suffixes exactly, then shows them open; false once the board asks something else. */
  const split = useCallback(
    async (of: UnravelState, more: Partial<AnalyzeRequest>, signal?: AbortSignal, onProgress?: (progress: Progress) => void) => {
      const options = { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
      const found = await analyze({ ...(JSON.parse(key) as AnalyzeRequest), ...more }, options);
      if (current.current !== key || signal?.aborted) return false;
      of.grow(found);
      return true;
    },
    [key],
  );

  /** A long opening: one at a time, told of, cancelled when the board asks something else. */
  const searching = useCallback(
    async (work: (signal: AbortSignal, tell: (progress: Progress | null) => void) => Promise<string | null>) => {
      running.current?.abort();
      const abort = new AbortController();
      running.current = abort;
      const cancel = () => abort.abort();
      const tell = (progress: Progress | null) => {
        if (running.current === abort) setSearch({ progress, cancel });
      };
      tell(null);
      setOpenError(null);
      setSearchNote(null);
      const outcome = await work(abort.signal, tell).then(
        (note) => ({ note, error: null }),
        (error: unknown) => ({ note: null, error: lineOf(error) }),
      );
      if (running.current !== abort) return;
      setSearch(null);
      setSearchNote(outcome.note);
      setOpenError(outcome.error);
    },
    [],
  );

  const written = useRef<{ state: UnravelState; open: string | null } | null>(null);
  useEffect(() => {
    if (!answer || answerIsStale) return;
    const run = ofRun(answer);
    const next = new UnravelState(run);
    setOpened((before) => (before?.key === key ? { ...before, answer: run } : { key, answer: run, state: next }));
    setPending(EMPTY);
    setOpenError(null);
    setSearchNote(null);
  }, [answer, answerIsStale, key]);

  // What the address says is open is opened, for a new question, too.
  useEffect(() => {
    if (!state || current.current !== key || address === null || state.open === address) return;
    if (written.current?.state === state && written.current.open === address) return;
    const asked = unpackOpen(address);
    const known = asked.expanded.filter((name) => isKnown(name, state.trie));
    const closed = known.filter((name) => (state.trie.get(name)?.children ?? null) === null);
    void searching(async (signal, tell) => {
      for (let from = 0; from < closed.length; from += RESTORED_AT_ONCE) {
        tell({ done: from, total: closed.length, what: strings.unravel.restoring });
        const paths = closed.slice(from, from + RESTORED_AT_ONCE);
        if (!(await split(state, { paths, byToken: false }, signal))) return null;
      }
      state.expand(known, asked.unfolded);
      return known.length < asked.expanded.length ? strings.unravel.notRestored(asked.expanded.length - known.length) : null;
    });
  }, [state, key, address, searching, split]);

  const isSearching = search !== null;
  const { version } = seen;
  useEffect(() => {
    if (!state || isSearching || version === 0) return;
    const timer = setTimeout(() => {
      written.current = { state, open: state.open || null };
      setAddress(written.current.open);
    }, ADDRESS_PAUSE_MS);
    return () => clearTimeout(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the setter is another one at each render and does the same
  }, [state, version, isSearching]);

  const stale = opened?.key !== key;

  const fetchChildren = useCallback(
    async (names: string[]) => {
      if (!state) return;
      setPending((before) => new Set([...before, ...names]));
      setOpenError(null);
      await split(state, { paths: names }).catch((error: unknown) => setOpenError(lineOf(error)));
      setPending((before) => new Set([...before].filter((name) => !names.includes(name))));
    },
    [state, split],
  );

  const toggle = useCallback(
    (name: string) => {
      const node = state?.trie.get(name);
      if (!state || stale || !node?.open || pending.has(name)) return;
      if (node.children === null) void fetchChildren([name]);
      else state.toggle(name);
    },
    [state, stale, pending, fetchChildren],
  );

  const reveal = useCallback(
    async (path: string) => {
      if (!state || stale || path.includes('<') || !path.endsWith('->logits')) return;
      const unknown = ancestorsOf(path).filter((name) => (state.trie.get(name)?.children ?? null) === null);
      if (unknown.length > 0) await fetchChildren(unknown);
      state.reveal(path);
    },
    [state, stale, fetchChildren],
  );

  const learning = useRef(new Set<string>());
  const learn = useCallback(
    (names?: readonly string[]) => {
      if (!state || current.current !== key) return;
      const largest = state.trie.unlearned(names ? LEARNED_BESIDE : LEARNED_AT_ONCE).map(({ name }) => name);
      const wanted = [...new Set([...(names ?? []), ...largest])];
      const paths = wanted.filter((name) => !learning.current.has(`${key} ${name}`));
      if (paths.length === 0) return;
      paths.forEach((name) => learning.current.add(`${key} ${name}`));
      const forget = () => paths.forEach((name) => learning.current.delete(`${key} ${name}`));
      // Nobody asked for it in so many words, so a failure is not told; it is asked for again at the next chance.
      void analyze({ ...(JSON.parse(key) as AnalyzeRequest), paths }).then((found) => {
        state.learn(found);
        links.refresh();
      }, forget);
    },
    [state, key, links],
  );

  const openUntil = (mass: number) => {
    if (!state || stale) return;
    void searching(async (signal, tell) => {
      const { trie } = state;
      const from = trie.partition.massInPaths;
      for (let count = BATCH.first; ; count = Math.min(BATCH.most, 2 * count)) {
        const { massInPaths } = trie.partition;
        if (massInPaths >= mass) return strings.unravel.reached(formatShare(massInPaths, 1));
        const paths = trie.largestUnopened(count).map(({ name }) => name);
        if (paths.length === 0 || trie.size > ROOM) return strings.unravel.stopped(formatShare(massInPaths, 1));
        tell({ done: Math.max(0, massInPaths - from), total: mass - from, what: strings.unravel.reaching(formatShare(massInPaths, 1)) });
        if (!(await split(state, { paths, byToken: false }, signal))) return null;
      }
    });
  };

  return {
    answer: opened?.answer ?? null,
    progress: root.progress,
    error: root.error,
    retry: root.retry,
    cancelled: root.cancelled,
    cancel: root.cancel,
    stale,
    trie: state?.trie ?? null,
    rows: seen.rows,
    partition: seen.partition,
    pending,
    openError,
    searchNote,
    search,
    toggle,
    unfold: useCallback((parent: string) => state?.unfold(parent), [state]),
    openUntil,
    reveal: useCallback((path: string) => void reveal(path), [reveal]),
    filter: useCallback((filter: Filter | null) => state?.filter(filter), [state]),
    learn,
  };
}

function useSeen(state: UnravelState | null): Unravelled | (typeof NOTHING_SEEN & { version: number }) {
  const read = () => state?.seen ?? NOTHING;
  return useSyncExternalStore(state?.subscribe ?? neverChanges, read, read);
}

const NOTHING = { ...NOTHING_SEEN, version: 0 };
const neverChanges = () => () => {};

/** True where the model has all of a suffix's nodes: each of them writes to `logits`. */
function isKnown(name: string, trie: Trie): boolean {
  return name
    .split('->')
    .slice(0, -1)
    .every((node) => trie.get(`${node}->logits`)?.open);
}
