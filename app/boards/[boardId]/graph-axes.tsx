'use client';
import { useEffect, useRef } from 'react';
import { toPlane } from '@/lib/graph/camera.ts';
import type { Layout } from '@/lib/graph/layout.ts';
import { strings } from '@/app/ui/strings.ts';
import type { Lens } from './graph-lens.ts';

export const AXIS = { left: 66, bottom: 40 } as const;
/** Narrower than this, only every so many columns have their name. */
const LEAST_COLUMN = 15;

interface AxisProps {
  layout: Layout;
  lens: Lens;
}

/** Names of tokens or heads below the picture; they follow it. */
export function ColumnAxis({ layout, lens, names, title }: AxisProps & { names: readonly string[]; title: string }) {
  const inner = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let zoom = 0;
    const follow = () => {
      const { camera, view } = lens;
      const strip = inner.current;
      if (!strip) return;
      strip.style.transform = `translate3d(${-Math.round(toPlane(camera, 0, 0, view).x * camera.zoom)}px, 0, 0)`;
      if (zoom === camera.zoom) return;
      zoom = camera.zoom;
      const narrowest = Math.min(...layout.columns.map(({ width }) => width));
      const every = Math.max(1, Math.ceil(LEAST_COLUMN / (narrowest * zoom)));
      [...strip.children].forEach((child, index) => {
        const { x, width } = layout.columns[index]!;
        const label = child as HTMLElement;
        label.hidden = index % every !== 0;
        label.style.left = `${(x - width / 2) * zoom}px`;
        label.style.width = `${every === 1 ? width * zoom : width * zoom * every}px`;
      });
    };
    follow();
    return lens.subscribe(follow);
  }, [layout, lens]);
  return (
    <div
      aria-hidden="true"
      className="absolute right-0 bottom-0 overflow-hidden border-t border-line text-2xs"
      style={{ left: AXIS.left, height: AXIS.bottom }}
    >
      <div ref={inner} className="absolute inset-x-0 top-0.5 h-4">
        {layout.columns.map(({ index }) => (
          <span key={index} title={`${names[index] ?? ''} (${index})`} className="absolute truncate text-center font-mono">
            {names[index]}
          </span>
        ))}
      </div>
      <p className="absolute inset-x-0 bottom-0 text-center text-soft">{title}</p>
    </div>
  );
}

/** Names of the rows beside the picture. */
export function RowAxis({ layout, lens }: AxisProps) {
  const inner = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let zoom = 0;
    const follow = () => {
      const { camera, view } = lens;
      const strip = inner.current;
      if (!strip) return;
      strip.style.transform = `translate3d(0, ${-Math.round(toPlane(camera, 0, 0, view).y * camera.zoom)}px, 0)`;
      if (zoom === camera.zoom) return;
      zoom = camera.zoom;
      const every = Math.max(1, Math.ceil(LEAST_COLUMN / ((layout.height / layout.rows.length) * zoom)));
      [...strip.children].forEach((child, index) => {
        const label = child as HTMLElement;
        label.hidden = index % every !== 0;
        label.style.top = `${layout.rows[index]!.y * zoom - 8}px`;
      });
    };
    follow();
    return lens.subscribe(follow);
  }, [layout, lens]);
  return (
    <div
      aria-hidden="true"
      className="absolute top-0 left-0 overflow-hidden border-r border-line text-2xs"
      style={{ width: AXIS.left, bottom: AXIS.bottom }}
    >
      <div ref={inner} className="absolute inset-y-0 right-1.5 left-5">
        {layout.rows.map(({ label }) => (
          <span key={label} className="absolute right-0 font-mono leading-4">
            {label}
          </span>
        ))}
      </div>
      <p className="absolute top-1/2 left-0 -translate-y-1/2 text-soft [writing-mode:sideways-lr]">{strings.graph.y}</p>
    </div>
  );
}
