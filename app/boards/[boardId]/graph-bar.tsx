'use client';
import { useEffect, useState, type RefObject } from 'react';
import { formatCount, formatShare, formatValue } from '@/lib/figures/numbers.ts';
import { SHOWN, STEPS, stepOf, thresholdAt, type ShownEdges } from '@/lib/graph/threshold.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import type { Lens } from './graph-lens.ts';
import type { GraphState } from './use-graph.ts';

const ZOOM_STEP = 1.3;

interface GraphBarProps {
  state: GraphState;
  lens: Lens;
  /** what full screen shows */
  frame: RefObject<HTMLDivElement | null>;
  onGroup: () => void;
}

export function GraphBar({ state, lens, frame, onGroup }: GraphBarProps) {
  const { may } = useBoard();
  const { pins, shown, setShown, unpinAll } = state;
  const words = strings.graph;
  return (
    <>
      <Threshold state={state} />
      <label className="flex items-center gap-1 text-xs text-soft">
        <span className="sr-only">{words.show}</span>
        <select
          value={shown}
          onChange={(event) => setShown(event.target.value as ShownEdges)}
          className="rounded-[3px] border border-strong bg-paper px-1 py-0.5 text-ink"
        >
          {SHOWN.map((one) => (
            <option key={one} value={one}>
              {words.shown[one]}
            </option>
          ))}
        </select>
      </label>
      <span className="flex items-center gap-0.5">
        <Button tone="quiet" small aria-label={words.zoomOut} title={`${words.zoomOut} (−)`} onClick={() => lens.zoom(1 / ZOOM_STEP)}>
          −
        </Button>
        <Button tone="quiet" small aria-label={words.zoomIn} title={`${words.zoomIn} (+)`} onClick={() => lens.zoom(ZOOM_STEP)}>
          +
        </Button>
        <Button tone="quiet" small title={`${words.fit} (0)`} onClick={() => lens.fit()}>
          {words.fit}
        </Button>
        <FullScreen frame={frame} />
      </span>
      {pins.size > 0 ? (
        <span className="flex items-center gap-1 text-xs text-soft" data-testid="graph-pins">
          {words.pins(pins.size)}
          {may('board.edit') ? (
            <Button small onClick={onGroup}>
              {words.group}
            </Button>
          ) : null}
          <Button tone="quiet" small onClick={unpinAll}>
            {words.unpinAll}
          </Button>
        </span>
      ) : null}
    </>
  );
}

/** How large an edge must be to be shown, and what that hides. */
function Threshold({ state: { graph, threshold, setThreshold, visible } }: { state: GraphState }) {
  const words = strings.graph;
  const { hidden } = visible;
  const { extent, edges } = graph;
  const unlisted = extent.edges - edges.reduce((sum, { count }) => sum + count, 0);
  const shown = extent.edges - hidden.edges;
  return (
    <>
      <label className="flex items-center gap-1.5 text-xs text-soft">
        {words.threshold}
        <input
          type="range"
          min={0}
          max={STEPS}
          value={stepOf(graph, threshold)}
          aria-valuetext={words.thresholdText(formatValue(threshold))}
          onChange={(event) => setThreshold(thresholdAt(graph, Number(event.target.value)))}
          className="w-32"
        />
        <output className="w-14 font-mono text-ink">{formatValue(threshold)}</output>
      </label>
      <p className="text-xs text-soft" data-testid="graph-hidden" aria-live="polite">
        {hidden.edges === 0
          ? words.allShown(formatCount(extent.edges))
          : words.shownAndHidden(formatCount(shown), formatCount(extent.edges), formatCount(hidden.edges), formatShare(hidden.share, 1))}
        {unlisted > 0 ? ` ${words.unlisted(formatCount(unlisted))}` : null}
      </p>
    </>
  );
}

function FullScreen({ frame }: { frame: RefObject<HTMLDivElement | null> }) {
  const [isFull, setIsFull] = useState(false);
  useEffect(() => {
    const read = () => setIsFull(document.fullscreenElement !== null && document.fullscreenElement === frame.current);
    document.addEventListener('fullscreenchange', read);
    return () => document.removeEventListener('fullscreenchange', read);
  }, [frame]);
  const toggle = () => (isFull ? document.exitFullscreen() : frame.current?.requestFullscreen());
  return (
    <Button tone="quiet" small aria-pressed={isFull} onClick={() => void toggle()}>
      {isFull ? strings.graph.leaveFullScreen : strings.graph.fullScreen}
    </Button>
  );
}
