'use client';
import { useEffect, useId, useRef, useState, type KeyboardEvent, type Ref, type TextareaHTMLAttributes } from 'react';
import type { Author, Member } from '@/lib/wire.ts';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { Suggestions } from '@/app/ui/suggestions.tsx';
import { useBoard } from './board-context.tsx';

interface MentionFieldProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'> {
  ref?: Ref<HTMLTextAreaElement>;
  value: string;
  onValue: (value: string) => void;
}

/** What is being typed as a name: from its @ to the caret. */
const TYPED = /(?<![\p{L}\p{N}@])@([^\n@]{0,40})$/u;
const MOST = 6;

/** A field for a comment. After an @ it offers the people of the board. */
export function MentionField({ ref, value, onValue, onKeyDown, ...rest }: MentionFieldProps) {
  const { boardId, person } = useBoard();
  const field = useRef<HTMLTextAreaElement | null>(null);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  const people = usePeople(boardId, caret !== null);
  const id = useId();

  const typed = caret === null ? null : (TYPED.exec(value.slice(0, caret))?.[1] ?? null);
  const found = typed === null ? [] : matching(people, typed, person.id);
  const open = found.length > 0;
  const active = Math.min(chosen, found.length - 1);

  const take = ({ name }: Author) => {
    if (caret === null || typed === null) return;
    const before = value.slice(0, caret - typed.length);
    onValue(`${before}${name} ${value.slice(caret)}`);
    setCaret(null);
    const place = before.length + name.length + 1;
    requestAnimationFrame(() => field.current?.setSelectionRange(place, place));
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => setChosen((active + 1) % found.length),
    ArrowUp: () => setChosen((active - 1 + found.length) % found.length),
    Enter: () => take(found[active]!),
    Tab: () => take(found[active]!),
    Escape: () => setCaret(null),
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const act = open && !event.ctrlKey && !event.metaKey ? keys[event.key] : undefined;
    if (!act) return onKeyDown?.(event);
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  return (
    <div className="relative">
      <textarea
        {...rest}
        ref={(element) => {
          field.current = element;
          if (typeof ref === 'function') ref(element);
          else if (ref) ref.current = element;
        }}
        value={value}
        aria-autocomplete="list"
        aria-controls={open ? id : undefined}
        aria-activedescendant={open ? `${id}-${active}` : undefined}
        onChange={(event) => {
          onValue(event.target.value);
          setCaret(event.target.selectionStart);
          setChosen(0);
        }}
        onBlur={() => setCaret(null)}
        onKeyDown={onKey}
      />
      {open ? (
        <Suggestions
          id={id}
          label={strings.thread.people}
          options={found.map(({ name }) => name)}
          active={active}
          onTake={(index) => take(found[index]!)}
        />
      ) : null}
    </div>
  );
}

function matching(people: readonly Author[], typed: string, self: string): Author[] {
  const start = typed.toLocaleLowerCase();
  return people.filter(({ id, name }) => id !== self && name !== typed && name.toLocaleLowerCase().startsWith(start)).slice(0, MOST);
}

/** Who has a role on the board, asked for when the first @ may come. */
function usePeople(boardId: string, wanted: boolean): readonly Author[] {
  const [people, setPeople] = useState<readonly Author[]>([]);
  useEffect(() => {
    if (!wanted) return;
    const abort = new AbortController();
    request<Member[]>(`/api/boards/${boardId}/members`, { signal: abort.signal }).then(
      (members) => setPeople(members.map(({ person }) => person)),
      // Offline nobody is offered; a name that is typed in full is found by the server.
      () => {},
    );
    return () => abort.abort();
  }, [boardId, wanted]);
  return people;
}
