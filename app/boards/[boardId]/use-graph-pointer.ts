'use client';
import { useEffect, useRef, type PointerEvent, type RefObject } from 'react';
import { toPlane } from '@/lib/graph/camera.ts';
import { hitOf, type Hit } from '@/lib/graph/hits.ts';
import { useBoard } from './board-context.tsx';
import type { Pointed } from './graph-tooltip.tsx';
import type { Lens } from './graph-lens.ts';
import type { GraphState } from './use-graph.ts';

/** Pixels that a finger or a hand may shake in a click. */
const STILL = 4;
/** Pixels around the cursor in which edges are found. */
const REACH = 6;
const WHEEL = 0.0016;

interface GraphPointer {
  state: GraphState;
  lens: Lens;
  host: RefObject<HTMLDivElement | null>;
  grouping: boolean;
  onDraft: (name: string) => void;
  onPoint: (pointed: Pointed | null) => void;
}

interface Point {
  x: number;
  y: number;
}

/** Drags move, the wheel and two fingers zoom, a click opens in the inspector, with Ctrl it pins, with G it groups. */
export function useGraphPointer({ state, lens, host, grouping, onDraft, onPoint }: GraphPointer) {
  const { select, links } = useBoard();
  const pressed = useRef(new Map<number, Point>());
  const moved = useRef(0);
  const pointed = useRef<string | null>(null);
  const { graph, layout, visible, togglePin } = state;

  useEffect(() => {
    const element = host.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { x, y } = placeIn(element, event);
      lens.zoom(Math.exp(-event.deltaY * WHEEL * (event.deltaMode === 1 ? 16 : 1)), x, y);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [host, lens]);

  const hitAt = ({ x, y }: Point): Hit => {
    const at = toPlane(lens.camera, x, y, lens.view);
    const shown = { layout, edges: graph.edges, visible: visible.edges, nodes: visible.nodes };
    return hitOf(shown, at.x, at.y, REACH / lens.camera.zoom);
  };
  const nameOf = (hit: Hit) => (hit === null ? null : hit.kind === 'node' ? graph.nodes[hit.index]!.name : graph.edges[hit.index]!.name);

  const point = (hit: Hit, place: Point) => {
    const name = nameOf(hit);
    if (name === pointed.current) return;
    pointed.current = name;
    // An edge of a mechanism is no object of the model.
    links.hover(name?.includes('->') && name.includes('group:') ? null : name);
    onPoint(hit === null ? null : { hit, ...place, view: lens.view });
  };

  const click = (event: PointerEvent, place: Point) => {
    const hit = hitAt(place);
    const name = nameOf(hit);
    if (hit === null || name === null) return;
    if (hit.kind === 'node' && grouping) onDraft(name);
    else if (hit.kind === 'node' && (event.ctrlKey || event.metaKey)) togglePin(name);
    else if (!name.includes('->') || !name.includes('group:')) select(name);
  };

  return {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      pressed.current.set(event.pointerId, placeIn(event.currentTarget, event));
      moved.current = 0;
    },
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
      const place = placeIn(event.currentTarget, event);
      const before = pressed.current.get(event.pointerId);
      if (!before) return point(hitAt(place), place);
      const [dx, dy] = [place.x - before.x, place.y - before.y];
      moved.current += Math.abs(dx) + Math.abs(dy);
      if (moved.current <= STILL) return;
      point(null, place);
      const other = [...pressed.current].find(([id]) => id !== event.pointerId)?.[1];
      pressed.current.set(event.pointerId, place);
      if (!other) return lens.pan(dx, dy);
      const factor = Math.hypot(place.x - other.x, place.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      lens.zoom(factor, (place.x + other.x) / 2, (place.y + other.y) / 2);
    },
    onPointerUp: (event: PointerEvent<HTMLDivElement>) => {
      const isClick = pressed.current.delete(event.pointerId) && moved.current <= STILL;
      if (isClick) click(event, placeIn(event.currentTarget, event));
    },
    onPointerCancel: (event: PointerEvent<HTMLDivElement>) => void pressed.current.delete(event.pointerId),
    onPointerLeave: () => point(null, { x: 0, y: 0 }),
  };
}

function placeIn(element: Element, { clientX, clientY }: { clientX: number; clientY: number }): Point {
  const { left, top } = element.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
