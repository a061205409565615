'use client';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import type { Answer } from '@/lib/engine/index.ts';
import { setSetup } from '@/lib/board/board-doc.ts';
import type { TokenText } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TokenChip } from '@/app/ui/token-chip.tsx';
import { useBoard } from './board-context.tsx';
import { checkSetup } from '@/app/ui/check-setup.ts';
import { useTokenSearch } from './use-token-search.ts';

type Part = 'target' | 'foil';

interface Choice {
  key: string;
  value: string | null;
  text: string | null;
  note: string;
}

function choicesOf(part: Part, tokens: readonly TokenText[]): Choice[] {
  const found = tokens.map((token) => ({ key: `id ${token.id}`, value: String(token.id), text: token.text, note: String(token.id) }));
  const likely = { key: 'likely', value: null, text: null, note: strings.picker.likely[part] };
  const none = { key: 'none', value: 'none', text: null, note: strings.picker.noFoil };
  return part === 'foil' ? [likely, none, ...found] : [likely, ...found];
}

/** What was typed, or the same word with a space before it where that alone is a token. */
function meantBy(query: string, tokens: readonly TokenText[]): string {
  if (/^\d+$/.test(query) || tokens.some(({ text }) => text === query)) return query;
  const spaced = tokens.find(({ text }) => text === ` ${query}`);
  return spaced ? String(spaced.id) : query;
}

/** Chooses the target or foil token by searching the vocabulary, or by token id. */
export function TokenPicker({ part, answer }: { part: Part; answer: Answer | null }) {
  const { may } = useBoard();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const text = answer
    ? part === 'target'
      ? (answer.targetText ?? String(answer.target))
      : answer.foil === null
        ? null
        : (answer.foilText ?? String(answer.foil))
    : null;
  const shown = text ?? (answer ? strings.setup.none : strings.setup.unknown);

  const close = () => {
    setOpen(false);
    requestAnimationFrame(() => button.current?.focus());
  };

  if (!may('board.edit')) {
    return (
      <div className="flex items-baseline gap-1.5 py-0.5 text-xs">
        <span className="text-soft">{strings.picker.label[part]}</span>
        {text === null ? shown : <TokenChip text={text} />}
      </div>
    );
  }
  if (open) return <TokenSearch part={part} onDone={close} />;
  return (
    <div className="flex items-baseline gap-1.5 text-xs">
      <span className="text-soft">{strings.picker.label[part]}</span>
      <Button
        ref={button}
        small
        onClick={() => setOpen(true)}
        aria-label={strings.picker.open(part, shown)}
        aria-haspopup="listbox"
        data-testid={`${part}-button`}
      >
        {text === null ? shown : <TokenChip text={text} className="bg-transparent px-0" />}
      </Button>
    </div>
  );
}

function TokenSearch({ part, onDone }: { part: Part; onDone: () => void }) {
  const { session, setup } = useBoard();
  const id = useId();
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(-1);
  const [error, setError] = useState<string | null>(null);
  const search = useTokenSearch(setup, query);
  const choices = choicesOf(part, search.tokens);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => input.current?.focus(), []);

  const choose = async (value: string | null) => {
    const next = { ...setup, [part]: value };
    const failed = await checkSetup(next).then(() => null, lineOf);
    setError(failed);
    if (failed !== null) return;
    setSetup(session.boardDoc, next);
    onDone();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: Math.min(choices.length - 1, at + 1), ArrowUp: Math.max(-1, at - 1) };
    const step = steps[event.key];
    if (step !== undefined) setAt(step);
    else if (event.key === 'Escape') onDone();
    else if (event.key === 'Enter' && at >= 0) void choose(choices[at]!.value);
    else if (event.key === 'Enter' && query !== '') void choose(meantBy(query, search.tokens));
    else return;
    event.preventDefault();
  };

  return (
    <div className="relative max-w-72 text-xs" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && onDone()}>
      <div className="flex items-baseline gap-1.5">
        <label htmlFor={id} className="text-soft">
          {strings.picker.label[part]}
        </label>
        <input
          ref={input}
          id={id}
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-invalid={error !== null}
          aria-describedby={error ? `${id}-error` : undefined}
          autoComplete="off"
          spellCheck={false}
          value={query}
          placeholder={strings.picker.placeholder}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(-1);
            setError(null);
          }}
          onKeyDown={onKeyDown}
          className="field w-44 font-mono"
        />
      </div>
      {error || search.error ? <Fault id={`${id}-error`}>{error ?? search.error}</Fault> : null}
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={strings.picker.label[part]}
        className="absolute top-full left-0 z-30 mt-1 max-h-72 w-72 overflow-auto rounded-[3px] border border-strong bg-paper py-1 shadow-lg"
      >
        {choices.map((choice, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the combobox has the keys
          <div
            key={choice.key}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => void choose(choice.value)}
            className={`flex cursor-pointer items-baseline justify-between gap-3 px-2 py-0.5 ${index === at ? 'bg-chosen' : 'hover:bg-hover'}`}
          >
            {choice.text === null ? <span>{choice.note}</span> : <TokenChip text={choice.text} className="bg-transparent" />}
            {choice.text === null ? null : <span className="font-mono text-2xs text-soft">{choice.note}</span>}
          </div>
        ))}
      </div>
    </div>
  );
}
