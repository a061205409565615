'use client';
import { useEffect, useId, useMemo, useRef, useState, type RefObject } from 'react';
import type { RunAnswer } from '@/lib/engine/index.ts';
import { formatCount, formatSigned } from '@/lib/figures/numbers.ts';
import { litIn } from '@/lib/graph/lit.ts';
import { strings } from '@/app/ui/strings.ts';
import { AXIS, ColumnAxis, RowAxis } from './graph-axes.tsx';
import { useBoard } from './board-context.tsx';
import { inksOfPage, type Inks, type Picture } from './graph-ink.ts';
import type { Lens } from './graph-lens.ts';
import { GraphMinimap } from './graph-minimap.tsx';
import { GraphPainter, type Mark } from './graph-painter.ts';
import { GraphTooltip, nodeWords, type Pointed } from './graph-tooltip.tsx';
import { outlineOf } from './links.ts';
import { useGraphKeys } from './use-graph-keys.ts';
import { useGraphPointer } from './use-graph-pointer.ts';
import type { GraphState } from './use-graph.ts';

export interface GraphStageProps {
  state: GraphState;
  lens: Lens;
  answer: RunAnswer;
  /** names of columns */
  columns: readonly string[];
  selection: string | null;
  /** nodes chosen while G is held */
  draft: ReadonlySet<string>;
  onDraft: (name: string) => void;
  onDrafted: () => void;
}

/** Set once the picture is drawn, to how many edges it has. */
const DRAWN = 'data-drawn';

/** The picture itself: canvases that follow the lens, axes, and what pointer and keys do on it. */
export function GraphStage({ state, lens, answer, columns, selection, draft, onDraft, onDrafted }: GraphStageProps) {
  const { graph, layout, visible, labels, mechanisms } = state;
  const words = strings.graph;
  const id = useId();
  const host = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const picture = useMemo<Picture>(
    () => ({ graph, layout, edges: visible.edges, nodes: visible.nodes, labels, scale: Math.abs(graph.edges[0]?.value ?? 1) }),
    [graph, layout, visible, labels],
  );
  const { inks, painter } = usePainter(host, picture, lens);
  const keys = useGraphKeys({ state, lens, selection, onDraft, onDrafted });
  const pointer = useGraphPointer({ state, lens, host, grouping: keys.grouping, onDraft, onPoint: setPointed });
  useMarks({ painter, picture, state, selection, draft, current: keys.current });

  const current = keys.current === null ? null : graph.nodes[keys.current]!;
  const count = (end: 'from' | 'to') => visible.edges.filter((edge) => graph.edges[edge]![end] === keys.current).length;

  return (
    <div className="relative min-h-80 flex-1">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- an application has keys of its own */}
      <div
        ref={host}
        role="application"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the same
        tabIndex={0}
        aria-label={words.stage(formatCount(visible.edges.length))}
        aria-describedby={`${id}-keys`}
        data-testid="graph-stage"
        {...pointer}
        onKeyDown={keys.onKeyDown}
        onKeyUp={keys.onKeyUp}
        className={`absolute top-0 right-0 touch-none overflow-hidden bg-paper ${keys.grouping ? 'cursor-copy' : 'cursor-grab active:cursor-grabbing'}`}
        style={{ left: AXIS.left, bottom: AXIS.bottom }}
      >
        {[0, 1].map((layer) => (
          <canvas
            key={layer}
            aria-hidden="true"
            className="pointer-events-none absolute top-0 left-0 origin-top-left will-change-transform"
          />
        ))}
        <canvas aria-hidden="true" className="pointer-events-none absolute top-0 left-0 hidden h-full w-full origin-top-left" />
        <GraphMinimap picture={picture} inks={inks} lens={lens} />
        {pointed ? <GraphTooltip pointed={pointed} state={state} columns={columns} metric={answer.metric} /> : null}
        {keys.grouping ? (
          <p className="absolute top-2 left-2 rounded-[3px] border border-strong bg-paper px-2 py-1 text-xs">
            {words.grouping(draft.size)}
          </p>
        ) : null}
      </div>
      <ColumnAxis layout={layout} lens={lens} names={columns} title={graph.by === 'token' ? words.xToken : words.xHead} />
      <RowAxis layout={layout} lens={lens} />
      <p id={`${id}-keys`} className="sr-only">
        {words.keys}
      </p>
      <p role="status" className="sr-only" data-testid="graph-walked">
        {current
          ? words.walked(
              current.value === null
                ? words.nodeUnknown(nodeWords(current, columns, mechanisms))
                : words.node(nodeWords(current, columns, mechanisms), formatSigned(current.value)),
              count('to'),
              count('from'),
            )
          : ''}
      </p>
    </div>
  );
}

/** The painter on the host's canvases, kept up with the picture, the lens and the page's colours. */
function usePainter(
  host: RefObject<HTMLDivElement | null>,
  picture: Picture,
  lens: Lens,
): { inks: Inks | null; painter: GraphPainter | null } {
  const [painter, setPainter] = useState<GraphPainter | null>(null);
  const [inks, setInks] = useState<Inks | null>(null);
  const { layout } = picture;

  useEffect(() => {
    const element = host.current!;
    const [front, back, overlay] = element.querySelectorAll(':scope > canvas') as unknown as [
      HTMLCanvasElement,
      HTMLCanvasElement,
      HTMLCanvasElement,
    ];
    const made = new GraphPainter([front, back], overlay, (edges) => {
      element.setAttribute(DRAWN, String(edges));
    });
    const readInks = () => setInks(inksOfPage());
    readInks();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', readInks);
    const themes = new MutationObserver(readInks);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    setPainter(made);
    return () => {
      made.stop();
      themes.disconnect();
      scheme.removeEventListener('change', readInks);
    };
  }, [host]);

  useEffect(() => {
    const element = host.current!;
    const resize = () =>
      lens.resize({ width: element.clientWidth, height: element.clientHeight }, { width: layout.width, height: layout.height });
    const sizes = new ResizeObserver(resize);
    sizes.observe(element);
    resize();
    return () => sizes.disconnect();
  }, [host, lens, layout]);

  useEffect(() => {
    if (!painter) return;
    const follow = () => painter.look(lens.camera, lens.view);
    follow();
    return lens.subscribe(follow);
  }, [painter, lens]);

  useEffect(() => {
    if (!painter || !inks) return;
    host.current!.removeAttribute(DRAWN);
    painter.paint(picture, inks);
  }, [painter, picture, inks, host]);

  return { inks, painter };
}

interface MarksOf {
  painter: GraphPainter | null;
  picture: Picture;
  state: GraphState;
  selection: string | null;
  draft: ReadonlySet<string>;
  current: number | null;
}

/** Lights what is selected, pinned, chosen, walked to, and under anybody's cursor. */
function useMarks({ painter, picture, state, selection, draft, current }: MarksOf): void {
  const { links } = useBoard();
  const { pins } = state;
  useEffect(() => {
    if (!painter) return;
    const { graph, edges } = picture;
    const ringed = (names: ReadonlySet<string>): Mark => {
      const nodes = graph.nodes.flatMap(({ name }, index) => (names.has(name) ? [index] : []));
      return { lit: { nodes: new Set(nodes), edges: new Set() }, colour: null, ring: true };
    };
    const still: Mark[] = [
      { lit: litIn(graph, edges, selection), colour: null, ring: true },
      ringed(pins),
      ringed(draft),
      ...(current === null ? [] : [{ lit: { nodes: new Set([current]), edges: new Set<number>() }, colour: null, ring: true }]),
    ];
    const mark = () =>
      painter.mark([
        ...still,
        ...[...links.pointed].map(([anchor, users]): Mark => ({ lit: litIn(graph, edges, anchor), colour: outlineOf(users), ring: true })),
        { lit: litIn(graph, edges, links.hovered), colour: null, ring: false },
      ]);
    mark();
    return links.subscribe(mark);
  }, [painter, picture, pins, selection, draft, current, links]);
}
