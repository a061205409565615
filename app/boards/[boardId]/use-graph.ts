'use client';
import { useMemo } from 'react';
import { readGroups } from '@/lib/board/board-doc.ts';
import { groupAnchor } from '@/lib/board/anchors.ts';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { POSITIONS_LIMIT, flowGraphOf, possibleFlows, type FlowGraph } from '@/lib/graph/flow-graph.ts';
import { layoutOf, type Layout } from '@/lib/graph/layout.ts';
import { folded, foldedLayout, nodesOf, type Mechanism } from '@/lib/graph/mechanisms.ts';
import { SHOWN, firstThreshold, parseThreshold, visibleOf, type ShownEdges, type Visible } from '@/lib/graph/threshold.ts';
import { shortNames } from '@/lib/graph/words.ts';
import type { ModelSummary } from '@/lib/wire.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';
import { useSetting } from './use-setting.ts';

/** Edges that the graph asks for: more could not be told apart. */
const TOP = 10_000;
export const BY_POSITION = { top: TOP, positions: true } as const;
export const BY_HEAD = { top: TOP } as const;

export type By = FlowGraph['by'];

/** What the graph is drawn by: as asked in the address, else by token where that is not too much. */
export function useBy(model: ModelSummary | null, tokens: number) {
  const [asked, setAsked] = useSetting('graph', 'by');
  const [, setAt] = useSetting('graph', 'at');
  const [, setLeast] = useSetting('graph', 'least');
  const possible = model ? possibleFlows(model, tokens) : 0;
  const byItself: By = possible > POSITIONS_LIMIT ? 'head' : 'token';
  const by: By | null = asked === 'head' || asked === 'token' ? asked : model ? byItself : null;
  return {
    by,
    possible,
    tooMany: asked === null && byItself === 'head',
    setBy: (wanted: By) => {
      setAsked(wanted === byItself ? null : wanted);
      // They are of a picture with other places and other edges.
      setAt(null);
      setLeast(null);
    },
  };
}

/** A list of names in the address. */
export function useNames(name: string): [names: ReadonlySet<string>, set: (names: ReadonlySet<string>) => void] {
  const [text, setText] = useSetting('graph', name);
  const names = useMemo(() => new Set((text ?? '').split(',').filter(Boolean)), [text]);
  return [names, (wanted) => setText(wanted.size === 0 ? null : [...wanted].join(','))];
}

export interface ShownMechanism extends Mechanism {
  id: string;
  /** nodes of it that are in the graph */
  count: number;
  isFolded: boolean;
}

export interface GraphState {
  graph: FlowGraph;
  layout: Layout;
  visible: Visible;
  labels: readonly string[];
  threshold: number;
  setThreshold: (threshold: number) => void;
  shown: ShownEdges;
  setShown: (shown: ShownEdges) => void;
  pins: ReadonlySet<string>;
  togglePin: (name: string) => void;
  unpinAll: () => void;
  mechanisms: readonly ShownMechanism[];
  fold: (id: string) => void;
}

/** The graph of an answer as it is set in the address. */
export function useGraph(answer: RunAnswer, model: ModelSummary): GraphState {
  const { session } = useBoard();
  const [least, setLeast] = useSetting('graph', 'least');
  const [show, setShow] = useSetting('graph', 'show');
  const [pins, setPins] = useNames('pins');
  const [foldedIds, setFolded] = useNames('folded');
  const groups = useLive(session.boardDoc, readGroups).records;

  const whole = useMemo(() => flowGraphOf(answer), [answer]);
  const mechanisms = useMemo(
    () =>
      groups.map((group) => {
        const mechanism = { anchor: groupAnchor(group.id), name: group.name, members: group.members };
        return { ...mechanism, id: group.id, count: nodesOf(whole, mechanism).length, isFolded: foldedIds.has(group.id) };
      }),
    [groups, whole, foldedIds],
  );
  const graph = useMemo(
    () =>
      folded(
        whole,
        mechanisms.filter(({ isFolded }) => isFolded),
      ),
    [whole, mechanisms],
  );
  const layout = useMemo(() => {
    const { layers, heads, hasMlp } = model;
    return foldedLayout(whole, layoutOf(whole, { layers, heads, hasMlp, tokens: answer.position + 1 }), graph);
  }, [whole, graph, model, answer.position]);
  const threshold = parseThreshold(least) ?? firstThreshold(graph);
  const shown = SHOWN.find((one) => one === show) ?? 'all';
  const visible = useMemo(() => visibleOf(graph, threshold, shown, pins), [graph, threshold, shown, pins]);
  const labels = useMemo(() => shortNames(graph, mechanisms), [graph, mechanisms]);

  return {
    graph,
    layout,
    visible,
    labels,
    threshold,
    setThreshold: (wanted) => setLeast(String(wanted)),
    shown,
    setShown: (wanted) => setShow(wanted === 'all' ? null : wanted),
    pins,
    togglePin: (name) => setPins(toggled(pins, name)),
    unpinAll: () => setPins(new Set()),
    mechanisms,
    fold: (id) => setFolded(toggled(foldedIds, id)),
  };
}

export function toggled(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(names);
  if (!next.delete(name)) next.add(name);
  return next;
}
