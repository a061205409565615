'use client';
import type * as Y from 'yjs';
import { useId, useState, type FormEvent, type KeyboardEvent, type Ref } from 'react';
import { LIMITS, addLabel, editLabel, readLabels, removeLabel } from '@/lib/board/board-doc.ts';
import type { Label } from '@/lib/board/records.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { Section } from '@/app/ui/section.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { Suggestions } from '@/app/ui/suggestions.tsx';
import { useBoard } from './board-context.tsx';
import { useLabelCounts } from './label-list.tsx';
import { useLive } from './use-live.ts';

/** Suggestions shown at a time. */
const MOST = 8;

export function LabelEditor({ ref, anchor }: { ref: Ref<HTMLInputElement>; anchor: string }) {
  const { session, may } = useBoard();
  const labels = useLive(session.boardDoc, readLabels).records;
  const here = labels.filter((label) => label.anchor === anchor);
  const counts = useLabelCounts();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [error, setError] = useState<string | null>(null);
  const id = useId();

  const typed = text.trim().toLocaleLowerCase();
  const found = counts
    .map((one) => one.text)
    .filter((known) => known.toLocaleLowerCase().includes(typed) && known !== text && !here.some((label) => label.text === known))
    .slice(0, MOST);
  const isOpen = open && found.length > 0;
  const chosen = Math.min(active, found.length - 1);

  const put = (words: string) => {
    try {
      addNow(session.boardDoc, anchor, words);
      setText('');
      setActive(-1);
      setError(null);
    } catch (cause) {
      setError(lineOf(cause));
    }
  };

  const add = (event: FormEvent) => {
    event.preventDefault();
    put(isOpen && chosen >= 0 ? found[chosen]! : text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      // −1 is the text as it is typed.
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive(((chosen + 1 + step + found.length + 1) % (found.length + 1)) - 1);
    } else if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      setOpen(false);
      setActive(-1);
    }
  };

  return (
    <Section title={strings.labels.title}>
      {here.length > 0 ? (
        <ul className="mb-1.5 flex flex-wrap gap-1">
          {here.map((label) => (
            <LabelItem key={label.id} label={label} />
          ))}
        </ul>
      ) : null}
      {may('board.edit') ? (
        <form onSubmit={add} className="flex gap-1.5">
          <span className="relative min-w-0 flex-1">
            <input
              ref={ref}
              role="combobox"
              aria-label={strings.labels.add}
              aria-invalid={error !== null}
              aria-describedby={error ? `${id}-error` : undefined}
              aria-keyshortcuts="L"
              aria-autocomplete="list"
              aria-expanded={isOpen}
              aria-controls={`${id}-list`}
              aria-activedescendant={isOpen && chosen >= 0 ? `${id}-list-${chosen}` : undefined}
              autoComplete="off"
              maxLength={LIMITS.label}
              value={text}
              placeholder={strings.labels.placeholder}
              onChange={(event) => {
                setText(event.target.value);
                setOpen(true);
                setActive(-1);
              }}
              onFocus={() => setOpen(true)}
              onBlur={() => setOpen(false)}
              onKeyDown={onKeyDown}
              className="field text-sm"
            />
            {isOpen ? (
              <Suggestions
                id={`${id}-list`}
                label={strings.labels.suggestions}
                options={found}
                active={chosen}
                onTake={(index) => put(found[index]!)}
              />
            ) : null}
          </span>
          <Button type="submit" small>
            {strings.labels.submit}
          </Button>
        </form>
      ) : here.length === 0 ? (
        <p className="text-xs text-soft">{strings.labels.none}</p>
      ) : null}
      {error ? <Fault id={`${id}-error`}>{error}</Fault> : null}
    </Section>
  );
}

function LabelItem({ label }: { label: Label }) {
  const { session, may } = useBoard();
  const [draft, setDraft] = useState<string | null>(null);

  if (!may('board.edit')) {
    return (
      <li className="max-w-64 truncate rounded-full border border-strong bg-paper px-2 py-0.5 text-xs" data-label={label.text}>
        {label.text}
      </li>
    );
  }
  const commit = () => {
    if (draft !== null && draft.trim() !== '' && draft.trim() !== label.text) editLabel(session.boardDoc, label.id, draft);
    setDraft(null);
  };

  if (draft !== null) {
    return (
      <li>
        <input
          aria-label={strings.labels.rename(label.text)}
          autoFocus
          maxLength={LIMITS.label}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={commit}
          onKeyDown={(event) => {
            if (event.key === 'Enter') commit();
            if (event.key === 'Escape') setDraft(null);
          }}
          className="field w-36 py-0 text-xs"
        />
      </li>
    );
  }
  return (
    <li className="flex items-center rounded-full border border-strong bg-paper text-xs" data-label={label.text}>
      <button
        type="button"
        onClick={() => setDraft(label.text)}
        aria-label={strings.labels.rename(label.text)}
        className="min-h-6 max-w-56 truncate rounded-l-full pl-2 hover:bg-hover"
      >
        {label.text}
      </button>
      <button
        type="button"
        onClick={() => removeLabel(session.boardDoc, label.id)}
        aria-label={strings.labels.remove(label.text)}
        className="min-h-6 min-w-6 rounded-r-full text-soft hover:bg-hover hover:text-ink"
      >
        ×
      </button>
    </li>
  );
}

function addNow(doc: Y.Doc, anchor: string, words: string): void {
  addLabel(doc, anchor, words, Date.now());
}
