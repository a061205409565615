'use client';
import { useEffect, useRef } from 'react';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { ShownItem } from './label-entries.ts';

interface QueueListProps {
  queue: readonly ShownItem[];
  current: number;
  onChoose: (item: number) => void;
  instructions: string;
}

/** Every item of one's queue with one's own label, and what the labels mean. */
export function QueueList({ queue, current, onChoose, instructions }: QueueListProps) {
  const words = strings.sessions;
  const list = useRef<HTMLOListElement>(null);

  useEffect(() => {
    const region = list.current;
    const row = region?.querySelector(`[data-item="${current}"]`)?.parentElement;
    if (!region || !row) return;
    const { offsetTop: top, offsetHeight: height } = row;
    region.scrollTop = Math.min(top, Math.max(region.scrollTop, top + height - region.clientHeight));
  }, [current]);

  return (
    <aside className="min-w-0 self-start rounded-[3px] border border-line bg-ground">
      <Section title={words.page.instructions}>
        <p className="text-xs whitespace-pre-wrap">{instructions === '' ? words.page.noInstructions : instructions}</p>
      </Section>
      <ol ref={list} aria-label={words.queue.list} className="relative max-h-[26rem] overflow-y-auto py-1">
        {queue.map((one) => (
          <li key={one.item}>
            <button
              type="button"
              data-item={one.item}
              data-label={one.mine?.label}
              data-pending={one.pending || undefined}
              aria-current={one.item === current ? 'true' : undefined}
              onClick={() => onChoose(one.item)}
              className={`grid w-full grid-cols-[1.75rem_minmax(0,1fr)_auto] items-baseline gap-2 px-2 py-1 text-left text-xs ${one.item === current ? 'bg-chosen' : 'hover:bg-hover'}`}
            >
              <span className="text-right font-mono text-2xs text-soft">{one.item}</span>
              <span className="name truncate">{one.title ?? one.anchor}</span>
              <Mark one={one} />
            </button>
          </li>
        ))}
      </ol>
    </aside>
  );
}

function Mark({ one }: { one: ShownItem }) {
  const words = strings.sessions.queue;
  if (one.mine) {
    return (
      <span className="max-w-28 truncate rounded-[3px] border border-line bg-paper px-1 text-2xs">
        {one.mine.label}
        {one.mine.unsure ? ' ?' : ''}
        {one.pending ? ' …' : ''}
      </span>
    );
  }
  const text = one.skipped ? words.skipped : one.takenOver ? words.takenOver : null;
  return <span className="text-2xs text-soft">{text ?? <span className="sr-only">{words.unlabelled}</span>}</span>;
}
