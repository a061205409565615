'use client';
import { useMemo } from 'react';
import { groupBy } from '@/lib/engine/collections.ts';
import { readLabels } from '@/lib/board/board-doc.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

export interface LabelCount {
  text: string;
  anchors: string[];
}

/** Every label of the board with what carries it, the most used first. */
export function useLabelCounts(): LabelCount[] {
  const { session } = useBoard();
  const labels = useLive(session.boardDoc, readLabels).records;
  return useMemo(
    () =>
      [...groupBy(labels, (label) => label.text)]
        .map(([text, some]) => ({ text, anchors: [...new Set(some.map((label) => label.anchor))] }))
        .sort((a, b) => b.anchors.length - a.anchors.length || a.text.localeCompare(b.text)),
    [labels],
  );
}

/** The labels of the board, to see the paths that carry one; pressed again, all. */
export function LabelList() {
  const { settings, set, show } = useBoard();
  const counts = useLabelCounts();
  const shown = settings['unravel.filter'] ?? null;
  return (
    <Section title={strings.labels.all}>
      {counts.length === 0 ? (
        <p className="text-xs text-soft">{strings.labels.empty}</p>
      ) : (
        <ul className="flex flex-wrap gap-1">
          {counts.map(({ text, anchors }) => (
            <li key={text}>
              <button
                type="button"
                aria-pressed={shown === text}
                aria-label={strings.labels.filter(text, anchors.length)}
                onClick={() => {
                  set('unravel.filter', shown === text ? null : text);
                  show('unravel');
                }}
                className="flex min-h-6 items-center gap-1.5 rounded-full border border-strong bg-paper px-2 text-xs hover:bg-hover aria-pressed:bg-ink aria-pressed:text-paper"
              >
                <span className="max-w-56 truncate">{text}</span>
                <span className="font-mono text-2xs">{anchors.length}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
