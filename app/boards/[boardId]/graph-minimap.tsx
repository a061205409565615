'use client';
import { useEffect, useRef, type PointerEvent } from 'react';
import { toPlane } from '@/lib/graph/camera.ts';
import { strings } from '@/app/ui/strings.ts';
import type { Inks, Picture } from './graph-ink.ts';
import type { Lens } from './graph-lens.ts';

const MOST = { width: 168, height: 112 } as const;
/** Edges drawn small. */
const EDGES = 500;

/** The whole graph, small, with the part that is in view; hidden while that is all of it. */
export function GraphMinimap({ picture, inks, lens }: { picture: Picture; inks: Inks | null; lens: Lens }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const { width, height } = picture.layout;
  const scale = Math.min(MOST.width / width, MOST.height / height);

  useEffect(() => {
    if (inks && canvas.current) draw(canvas.current, picture, inks, scale);
  }, [picture, inks, scale]);

  useEffect(() => {
    const follow = () => {
      const { camera, view } = lens;
      if (!box.current || !frame.current) return;
      const from = toPlane(camera, 0, 0, view);
      const to = toPlane(camera, view.width, view.height, view);
      const isAll = from.x <= 1 && from.y <= 1 && to.x >= width - 1 && to.y >= height - 1;
      box.current.style.visibility = isAll ? 'hidden' : 'visible';
      const [left, top] = [Math.max(0, from.x) * scale, Math.max(0, from.y) * scale];
      frame.current.style.transform = `translate3d(${left}px, ${top}px, 0)`;
      frame.current.style.width = `${Math.max(4, Math.min(to.x, width) * scale - left)}px`;
      frame.current.style.height = `${Math.max(4, Math.min(to.y, height) * scale - top)}px`;
    };
    follow();
    return lens.subscribe(follow);
  }, [lens, width, height, scale]);

  const move = (event: PointerEvent<HTMLDivElement>) => {
    event.stopPropagation();
    if (event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { left, top } = event.currentTarget.getBoundingClientRect();
    lens.centre((event.clientX - left) / scale, (event.clientY - top) / scale);
  };

  return (
    <div
      ref={box}
      title={strings.graph.minimap}
      data-testid="graph-minimap"
      onPointerDown={move}
      onPointerMove={move}
      className="absolute right-2 bottom-2 hidden touch-none overflow-hidden border border-strong bg-paper sm:block"
      style={{ width: width * scale + 2, height: height * scale + 2 }}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <div ref={frame} className="absolute top-0 left-0 border border-ink" />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, { graph, layout, edges, nodes }: Picture, inks: Inks, scale: number): void {
  const ratio = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.ceil(layout.width * scale * ratio);
  canvas.height = Math.ceil(layout.height * scale * ratio);
  canvas.style.width = `${layout.width * scale}px`;
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, 0, 0);
  context.lineWidth = 0.8 / scale;
  context.globalAlpha = 0.6;
  for (const edge of edges.slice(0, EDGES).toReversed()) {
    const { from, to, value } = graph.edges[edge]!;
    context.strokeStyle = value > 0 ? inks.positive : inks.negative;
    context.beginPath();
    context.moveTo(layout.x[from]!, layout.y[from]!);
    context.lineTo(layout.x[to]!, layout.y[to]!);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.fillStyle = inks.ink;
  const size = 1.6 / scale;
  nodes.forEach((isShown, index) => {
    if (isShown) context.fillRect(layout.x[index]! - size / 2, layout.y[index]! - size / 2, size, size);
  });
}
