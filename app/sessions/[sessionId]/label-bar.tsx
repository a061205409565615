'use client';
import type { Ref } from 'react';
import { SESSION_LIMITS } from '@/lib/board/queues.ts';
import { Button } from '@/app/ui/button.tsx';
import { Field } from '@/app/ui/field.tsx';
import { strings } from '@/app/ui/strings.ts';
import type { ShownItem } from './label-entries.ts';
import type { Acts } from './queue-view.tsx';
import type { Draft } from './use-label-outbox.ts';

interface LabelBarProps {
  ref: Ref<HTMLTextAreaElement>;
  labels: readonly string[];
  one: ShownItem;
  draft: Draft;
  disabled: boolean;
  /** the label was given before the reveal */
  frozen: boolean;
  act: Acts;
  onNote: (text: string) => void;
  /** the note is left: where there is a label already, it goes with it */
  onNoteDone: () => void;
}

/** The label set with its keys, a note, and what else one can do with the item. */
export function LabelBar({ ref, labels, one, draft, disabled, frozen, act, onNote, onNoteDone }: LabelBarProps) {
  const words = strings.sessions.queue;
  return (
    <div className="grid gap-2.5">
      <div role="group" aria-label={words.labels} className="flex flex-wrap gap-1.5">
        {labels.map((label, index) => {
          const given = one.mine?.label === label;
          return (
            <Button
              key={label}
              tone={given ? 'main' : 'plain'}
              disabled={disabled}
              aria-pressed={given}
              aria-keyshortcuts={String(index + 1)}
              aria-label={words.choose(label, index + 1)}
              onClick={() => act.give(index)}
            >
              <kbd aria-hidden="true" className="font-mono text-xs opacity-70">
                {index + 1}
              </kbd>
              {label}
            </Button>
          );
        })}
      </div>
      {frozen ? <p className="text-xs text-soft">{words.frozen}</p> : null}
      <div className="flex flex-wrap items-center gap-1">
        <Button tone="quiet" small aria-keyshortcuts="K" onClick={() => act.go(-1)}>
          {words.previous}
        </Button>
        <Button tone="quiet" small aria-keyshortcuts="J" onClick={() => act.go(1)}>
          {words.next}
        </Button>
        <Button tone="quiet" small aria-keyshortcuts="S" disabled={disabled} onClick={act.skip}>
          {words.skip}
        </Button>
        <Button tone="quiet" small aria-keyshortcuts="U" onClick={act.undo}>
          {words.undo}
        </Button>
        <Button
          tone={draft.unsure ? 'plain' : 'quiet'}
          small
          aria-keyshortcuts="M"
          aria-pressed={draft.unsure}
          disabled={disabled}
          onClick={act.unsure}
        >
          {words.unsure}
        </Button>
      </div>
      <Field label={words.note} hint={words.noteHint}>
        {(control) => (
          <textarea
            {...control}
            ref={ref}
            rows={2}
            maxLength={SESSION_LIMITS.note}
            disabled={disabled}
            aria-keyshortcuts="N"
            value={draft.note}
            onChange={(event) => onNote(event.target.value)}
            onBlur={onNoteDone}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              event.preventDefault();
              event.currentTarget.blur();
            }}
            className="field text-sm"
          />
        )}
      </Field>
    </div>
  );
}
