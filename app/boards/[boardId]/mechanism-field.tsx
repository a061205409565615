'use client';
import { useId, useState, type FormEvent, type Ref } from 'react';
import { LIMITS } from '@/lib/board/board-doc.ts';
import { groupAnchor } from '@/lib/board/anchors.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { Section } from '@/app/ui/section.tsx';
import { strings } from '@/app/ui/strings.ts';
import { useBoard } from './board-context.tsx';
import { useMechanisms } from './use-mechanisms.ts';

const NEW = 'new';

/** Which mechanisms what is selected belongs to; editors put it into others, or into a new one. */
export function MechanismField({ ref, anchor }: { ref: Ref<HTMLSelectElement>; anchor: string }) {
  const { may, select } = useBoard();
  const mechanisms = useMechanisms();
  const [name, setName] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const id = useId();
  const words = strings.mechanisms;
  const holding = mechanisms.list.filter((group) => group.members.includes(anchor));
  const others = mechanisms.list.filter((group) => !group.members.includes(anchor));
  const editable = may('board.edit');

  const attempt = (work: () => void) => {
    try {
      work();
      setError(null);
    } catch (cause) {
      setError(lineOf(cause));
    }
  };
  const create = (event: FormEvent) => {
    event.preventDefault();
    attempt(() => mechanisms.create([anchor], name ?? ''));
  };

  if (!editable && holding.length === 0) return null;
  return (
    <Section title={words.title}>
      {holding.length === 0 ? null : (
        <ul aria-label={words.label} className="mb-1.5 flex flex-wrap gap-1">
          {holding.map((group) => (
            <li key={group.id} className="flex items-center rounded-[3px] border border-strong bg-paper text-xs" data-holding={group.name}>
              <button
                type="button"
                onClick={() => select(groupAnchor(group.id))}
                className="min-h-6 max-w-56 truncate rounded-l-[3px] px-1.5 hover:bg-hover"
              >
                {group.name}
              </button>
              {editable ? (
                <button
                  type="button"
                  onClick={() => mechanisms.takeOut(group.id, anchor)}
                  aria-label={words.takeOut(group.name)}
                  className="min-h-6 min-w-6 rounded-r-[3px] text-soft hover:bg-hover hover:text-ink"
                >
                  ×
                </button>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {!editable ? null : name === null ? (
        <select
          ref={ref}
          aria-label={words.choose}
          aria-keyshortcuts="G"
          value=""
          onChange={(event) => {
            const chosen = event.target.value;
            if (chosen === NEW) setName('');
            else attempt(() => mechanisms.add(chosen, [anchor]));
          }}
          className="field text-sm"
        >
          <option value="">{words.choose} (G)</option>
          {others.map((group) => (
            <option key={group.id} value={group.id}>
              {group.name}
            </option>
          ))}
          <option value={NEW}>{words.chooseNew}</option>
        </select>
      ) : (
        <form onSubmit={create} className="flex gap-1.5">
          <input
            aria-label={words.newOf}
            aria-invalid={error !== null}
            aria-describedby={error ? `${id}-error` : undefined}
            autoFocus
            maxLength={LIMITS.groupName}
            value={name}
            placeholder={words.newName(mechanisms.list.length + 1)}
            onChange={(event) => setName(event.target.value)}
            className="field text-sm"
          />
          <Button type="submit" small>
            {words.create}
          </Button>
          <Button small tone="quiet" onClick={() => setName(null)}>
            {strings.common.cancel}
          </Button>
        </form>
      )}
      {error ? <Fault id={`${id}-error`}>{error}</Fault> : null}
    </Section>
  );
}
