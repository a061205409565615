'use client';
import { useState, type FormEvent } from 'react';
import { SESSION_LIMITS } from '@/lib/board/queues.ts';
import { may } from '@/lib/roles.ts';
import type { Member, SessionDetail } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault, Field } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard } from './board-context.tsx';
import { linesOf } from './lines.ts';
import { SessionItems, usePick } from './session-items.tsx';

/** Everything that a session needs to be opened; it goes to the session's page then. */
export function SessionSetUp({ onBack }: { onBack: () => void }) {
  const { boardId } = useBoard();
  const words = strings.sessions.setUp;
  // The same for every attempt, so that one whose answer was lost opens one session.
  const [id] = useState(() => crypto.randomUUID());
  const [name, setName] = useState('');
  const [instructions, setInstructions] = useState('');
  const [labels, setLabels] = useState('');
  const [people, setPeople] = useState<readonly string[]>([]);
  const [perItem, setPerItem] = useState<number | null>(null);
  const [hidesNumbers, setHidesNumbers] = useState(false);
  const [missing, setMissing] = useState<string | null>(null);
  const picking = usePick();
  const task = useTask();

  const labelSet = linesOf(labels);
  const lacks = (): string | null => {
    if (name.trim() === '') return words.needName;
    if (labelSet.length < 2 || labelSet.length > SESSION_LIMITS.labels || new Set(labelSet).size < labelSet.length) {
      return words.needLabels(SESSION_LIMITS.labels);
    }
    if (picking.fault !== null) return picking.fault;
    if (picking.pick === null) return words.needItems;
    return people.length === 0 ? words.needPeople : null;
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = lacks();
    setMissing(wanted);
    if (wanted !== null) return;
    const body = { id, name, instructions, labels: labelSet, pick: picking.pick, annotators: people, perItem, hidesNumbers };
    await task.run(async () => {
      const made = await request<SessionDetail>(`/api/boards/${boardId}/sessions`, { method: 'POST', body });
      location.assign(`/sessions/${made.id}`);
    });
  };

  const fill = () => {
    setName(words.exampleName);
    setInstructions(words.exampleInstructions);
    setLabels(words.exampleLabels.join('\n'));
  };

  return (
    <form onSubmit={submit} aria-label={words.title} className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <div className="flex flex-wrap gap-2">
        <Button tone="quiet" small onClick={onBack}>
          {strings.sessions.back}
        </Button>
        <Button small onClick={fill}>
          {words.example}
        </Button>
      </div>
      <div className="grid gap-4 sm:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="grid content-start gap-3">
          <TextField label={words.name} value={name} onValue={setName} maxLength={200} placeholder={words.namePlaceholder} />
          <Field label={words.instructions} hint={words.instructionsHint}>
            {(control) => (
              <textarea
                {...control}
                rows={4}
                maxLength={SESSION_LIMITS.instructions}
                value={instructions}
                onChange={(event) => setInstructions(event.target.value)}
                className="field text-sm"
              />
            )}
          </Field>
        </div>
        <Field label={words.labels} hint={words.labelsHint(SESSION_LIMITS.labels)}>
          {(control) => (
            <textarea {...control} rows={7} value={labels} onChange={(event) => setLabels(event.target.value)} className="field text-sm" />
          )}
        </Field>
      </div>
      <SessionItems picking={picking} />
      <Annotators chosen={people} onChosen={setPeople} />
      <div className="grid gap-1.5 text-sm">
        <PerItem people={people.length} perItem={perItem} onPerItem={setPerItem} />
        <label className="flex items-baseline gap-2">
          <input type="checkbox" checked={hidesNumbers} onChange={(event) => setHidesNumbers(event.target.checked)} />
          <span>
            {words.hides} <span className="block text-xs text-soft">{words.hidesHint}</span>
          </span>
        </label>
      </div>
      <div>
        <Button type="submit" tone="main" disabled={task.busy}>
          {task.busy ? words.busy : words.submit}
        </Button>
        {missing ? <Fault>{missing}</Fault> : null}
        {task.error ? <Fault>{task.error}</Fault> : null}
      </div>
    </form>
  );
}

function Annotators({ chosen, onChosen }: { chosen: readonly string[]; onChosen: (people: string[]) => void }) {
  const { boardId } = useBoard();
  const words = strings.sessions.setUp;
  const members = useLoaded<Member[]>(`/api/boards/${boardId}/members`);
  const able = (members.value ?? []).filter(({ role }) => may(role, 'board.annotate'));
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-soft">{words.people}</legend>
      {members.error ? <Fault>{members.error}</Fault> : null}
      {members.value && able.length === 0 ? <p className="text-sm text-soft">{words.peopleNone}</p> : null}
      <div className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
        {able.map(({ person, role }) => (
          <label key={person.id} className="flex items-baseline gap-1.5">
            <input
              type="checkbox"
              checked={chosen.includes(person.id)}
              onChange={(event) => onChosen(event.target.checked ? [...chosen, person.id] : chosen.filter((id) => id !== person.id))}
            />
            {person.name} <span className="text-xs text-soft">{strings.roles.names[role]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface PerItemProps {
  people: number;
  perItem: number | null;
  onPerItem: (count: number | null) => void;
}

function PerItem({ people, perItem, onPerItem }: PerItemProps) {
  const words = strings.sessions.setUp;
  return (
    <>
      <label className="flex items-baseline gap-2">
        <input type="radio" name="per-item" checked={perItem === null} onChange={() => onPerItem(null)} />
        {words.everyone}
      </label>
      <span className="flex flex-wrap items-baseline gap-2">
        <label className="flex items-baseline gap-2">
          <input type="radio" name="per-item" checked={perItem !== null} onChange={() => onPerItem(2)} />
          {words.some}
        </label>
        <input
          type="number"
          aria-label={words.some}
          min={1}
          max={Math.max(1, people)}
          disabled={perItem === null}
          value={perItem ?? 2}
          onChange={(event) => onPerItem(Number(event.target.value))}
          className="field w-16 py-0.5 text-sm"
        />
        {words.someUnit}
      </span>
    </>
  );
}
