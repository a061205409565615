'use client';
import { useId, useState, type FormEvent, type Ref } from 'react';
import { LIMITS, addLabel, editLabel, readLabels, removeLabel } from '@/lib/board/board-doc.ts';
import type { Label } from '@/lib/board/records.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { Section } from '@/app/ui/section.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';

export function LabelEditor({ ref, anchor }: { ref: Ref<HTMLInputElement>; anchor: string }) {
  const { session, may } = useBoard();
  const labels = useLive(session.boardDoc, readLabels).records;
  const here = labels.filter((label) => label.anchor === anchor);
  const suggestions = [...new Set(labels.map((label) => label.text))].filter((text) => !here.some((label) => label.text === text));
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const id = useId();

  const add = (event: FormEvent) => {
    event.preventDefault();
    try {
      addLabel(session.boardDoc, anchor, text, Date.now());
      setText('');
      setError(null);
    } catch (cause) {
      setError(lineOf(cause));
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
          <input
            ref={ref}
            aria-label={strings.labels.add}
            aria-invalid={error !== null}
            aria-describedby={error ? `${id}-error` : undefined}
            aria-keyshortcuts="L"
            list={`${id}-list`}
            maxLength={LIMITS.label}
            value={text}
            placeholder={strings.labels.placeholder}
            onChange={(event) => setText(event.target.value)}
            className="field text-sm"
          />
          <datalist id={`${id}-list`}>
            {suggestions.map((suggestion) => (
              <option key={suggestion}>{suggestion}</option>
            ))}
          </datalist>
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
