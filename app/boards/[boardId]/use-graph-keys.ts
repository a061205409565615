'use client';
import { useState, type KeyboardEvent } from 'react';
import { toView } from '@/lib/graph/camera.ts';
import { startOf, walked, type Step } from '@/lib/graph/walk.ts';
import { useBoard } from './board-context.tsx';
import type { Lens } from './graph-lens.ts';
import type { GraphState } from './use-graph.ts';

const PAN = 60;
const ZOOM_STEP = 1.3;
/** A node that is walked to is kept so far inside the view. */
const INSIDE = 24;

const STEPS: Record<string, Step> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };
const PANS: Record<Step, [number, number]> = { up: [0, PAN], down: [0, -PAN], left: [PAN, 0], right: [-PAN, 0] };

interface GraphKeys {
  state: GraphState;
  lens: Lens;
  selection: string | null;
  onDraft: (name: string) => void;
  onDrafted: () => void;
}

/** What the keys do: move the picture, or, once Enter was pressed, walk from node to node. */
export function useGraphKeys({ state, lens, selection, onDraft, onDrafted }: GraphKeys) {
  const { select, may } = useBoard();
  const { graph, layout, visible, togglePin } = state;
  const [name, setName] = useState<string | null>(null);
  const [grouping, setGrouping] = useState(false);
  const at = name === null ? -1 : graph.nodes.findIndex((node) => node.name === name);
  const current = at >= 0 && visible.nodes[at] ? at : null;
  const shown = { layout, edges: graph.edges, visible: visible.edges, nodes: visible.nodes };

  const go = (index: number | null) => {
    if (index === null) return;
    setName(graph.nodes[index]!.name);
    const [x, y] = [layout.x[index]!, layout.y[index]!];
    const place = toView(lens.camera, x, y, lens.view);
    const isInside = place.x > INSIDE && place.y > INSIDE && place.x < lens.view.width - INSIDE && place.y < lens.view.height - INSIDE;
    if (!isInside) lens.centre(x, y);
  };

  const begin = () => {
    const selected = graph.nodes.findIndex((node) => node.name === selection);
    go(selected >= 0 && visible.nodes[selected] ? selected : startOf(shown));
  };

  const onCurrent = (key: string, index: number): boolean => {
    const node = graph.nodes[index]!.name;
    if (grouping && (key === 'Enter' || key === ' ')) onDraft(node);
    else if (key === 'Enter') select(node);
    else if (key === ' ') togglePin(node);
    else if (key === 'Escape') setName(null);
    else return false;
    return true;
  };

  const act = ({ key, shiftKey }: KeyboardEvent): boolean => {
    const step = STEPS[key];
    if (step && (current === null || shiftKey)) lens.pan(...PANS[step]);
    else if (step) go(walked(shown, current!, step));
    else if (key === '+' || key === '=') lens.zoom(ZOOM_STEP);
    else if (key === '-' || key === '_') lens.zoom(1 / ZOOM_STEP);
    else if (key === '0') lens.fit();
    else if (current !== null && onCurrent(key, current)) return true;
    else if (key === 'Enter' || key === 'Home') begin();
    else return false;
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === 'g' && may('board.edit')) setGrouping(true);
    else if (!act(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onKeyUp = ({ key }: KeyboardEvent) => {
    if (key.toLowerCase() !== 'g' || !grouping) return;
    setGrouping(false);
    onDrafted();
  };
  return { current, grouping, onKeyDown, onKeyUp };
}
