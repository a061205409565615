'use client';
import { useState, type FormEvent } from 'react';
import { LIMITS } from '@/lib/board/board-doc.ts';
import { Button } from '@/app/ui/button.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useBoard } from './board-context.tsx';
import type { ShownMechanism } from './use-graph.ts';
import { useMechanisms } from './use-mechanisms.ts';

/** The board's mechanisms, each of which the graph can draw as one node. */
export function MechanismBar({ mechanisms, onFold }: { mechanisms: readonly ShownMechanism[]; onFold: (id: string) => void }) {
  if (mechanisms.length === 0) return null;
  return (
    <fieldset className="flex flex-wrap items-center gap-1.5 border-b border-line px-3 py-1 text-xs">
      <legend className="sr-only">{strings.graph.mechanisms}</legend>
      <span aria-hidden="true" className="text-soft">
        {strings.graph.mechanisms}
      </span>
      {mechanisms.map(({ id, name, count, isFolded }) => (
        <label
          key={id}
          title={count === 0 ? strings.graph.noNodes : strings.graph.fold(name)}
          className="flex items-center gap-1 rounded-full border border-strong bg-paper px-2 py-0.5 has-disabled:opacity-60"
        >
          <input type="checkbox" checked={isFolded} disabled={count === 0} onChange={() => onFold(id)} />
          <span className="max-w-48 truncate">{name}</span>
          <span className="text-soft">{count}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Gives nodes a name together. */
export function MechanismForm({ members, onDone }: { members: readonly string[]; onDone: () => void }) {
  const { say } = useBoard();
  const mechanisms = useMechanisms();
  const [name, setName] = useState('');
  const [error, setError] = useState<string | null>(null);

  const save = (event: FormEvent) => {
    event.preventDefault();
    try {
      const group = mechanisms.create(members, name);
      say(strings.graph.grouped(group.name, group.members.length));
      onDone();
    } catch (cause) {
      setError(lineOf(cause));
    }
  };

  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape in its field
    <form
      onSubmit={save}
      onKeyDown={(event) => event.key === 'Escape' && onDone()}
      className="flex flex-wrap items-end gap-2 border-b border-line bg-ground px-3 py-1.5"
    >
      <TextField
        label={strings.graph.groupName}
        value={name}
        onValue={setName}
        error={error}
        maxLength={LIMITS.groupName}
        autoFocus
        className="min-w-48"
      />
      <Button type="submit" small tone="main">
        {strings.graph.groupSave}
      </Button>
      <Button small onClick={onDone}>
        {strings.common.cancel}
      </Button>
      <span className="name w-full text-2xs text-soft">{members.join(', ')}</span>
    </form>
  );
}
