'use client';
import { useState, type FormEvent } from 'react';
import { contentOf, restoreContent } from '@/lib/board/restore.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import type { Version, VersionSummary } from '@/lib/wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard } from './board-context.tsx';
import { useLive } from './use-live.ts';
import { SETUP_FIELDS, differencesOf, stateOf, textOf, type BoardState, type Difference } from './version-content.ts';

interface VersionViewProps {
  version: VersionSummary;
  /** it was renamed or deleted */
  onChange: () => void;
  onRestored: () => void;
}

/** One version, to be looked at, compared with now, and gone back to. */
export function VersionView({ version, onChange, onRestored }: VersionViewProps) {
  const { boardId, session, may, say } = useBoard();
  const url = `/api/boards/${boardId}/versions/${version.id}`;
  const { value, error } = useLoaded<Version>(url);
  const now = stateOf(useLive(session.boardDoc, contentOf));
  const [fault, setFault] = useState<string | null>(null);
  const name = version.name ?? formatTime(version.createdAt);

  if (error) return <Fault>{error}</Fault>;
  if (!value) return <p className="text-sm text-soft">{strings.common.working}</p>;
  const old = stateOf(value.content);
  const differences = differencesOf(old, now);

  const restore = () => {
    try {
      restoreContent(session.boardDoc, value.content);
    } catch (cause) {
      setFault(lineOf(cause));
      return;
    }
    say(strings.history.restored(name));
    onRestored();
  };

  return (
    <article aria-label={name} data-testid="version" className="grid gap-4 text-sm">
      <header>
        <h3 className="font-semibold break-words">{name}</h3>
        <p className="text-xs text-soft">
          {formatTime(version.createdAt)} · {version.author}
        </p>
      </header>
      <Differences list={differences} />
      <Contents state={old} />
      {may('board.edit') && differences.length > 0 ? (
        <div>
          <Button tone="main" onClick={restore}>
            {strings.history.restore}
          </Button>
          {fault ? <Fault>{fault}</Fault> : null}
        </div>
      ) : null}
      {may('board.keep-version') ? <VersionActions url={url} name={version.name ?? ''} onChange={onChange} /> : null}
    </article>
  );
}

const SIGNS = { added: '+', removed: '−', changed: '≠' } as const;

function Differences({ list }: { list: readonly Difference[] }) {
  return (
    <section>
      <h4 className="mb-1 text-xs font-semibold text-soft">{strings.history.differences}</h4>
      {list.length === 0 ? <p className="text-xs text-soft">{strings.history.same}</p> : null}
      <ul className="grid max-h-56 gap-1 overflow-y-auto" data-testid="differences">
        {list.map(({ kind, what, old, now }) => (
          <li key={`${kind} ${what} ${old} ${now}`} data-difference={kind} className="grid grid-cols-[1rem_1fr] gap-x-1">
            <span aria-hidden="true" className="font-mono">
              {SIGNS[kind]}
            </span>
            <span className="min-w-0 break-words">
              <span className="text-xs text-soft">
                <span className="name">{what}</span>, {strings.history.signs[kind]}:
              </span>{' '}
              {kind === 'changed' ? strings.history.was(quoted(old), quoted(now)) : quoted(old ?? now)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Contents({ state: { title, setup, labels } }: { state: BoardState }) {
  const facts = [
    ['title', title || strings.board.untitled],
    ...SETUP_FIELDS.flatMap((field) => {
      const text = textOf(setup[field]);
      return text === null ? [] : [[field, text]];
    }),
  ];
  return (
    <details>
      <summary className="text-xs font-semibold text-soft">
        {strings.history.setup} · {strings.history.labels(labels.length)}
      </summary>
      {setup.prompt === undefined ? <p className="mt-1 text-xs text-fault">{strings.history.incomplete}</p> : null}
      <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5">
        {facts.map(([field, text]) => (
          <div key={field} className="contents">
            <dt className="text-xs text-soft">{field}</dt>
            <dd className="min-w-0 font-mono text-xs break-words">{text}</dd>
          </div>
        ))}
      </dl>
      <ul className="mt-2 grid max-h-48 gap-0.5 overflow-y-auto">
        {labels.map((label) => (
          <li key={label.id} className="break-words">
            {label.text} <span className="name text-xs text-soft">{label.anchor}</span>
          </li>
        ))}
      </ul>
      {labels.length === 0 ? <p className="text-xs text-soft">{strings.history.noLabels}</p> : null}
    </details>
  );
}

interface VersionActionsProps {
  url: string;
  name: string;
  onChange: () => void;
}

function VersionActions({ url, name, onChange }: VersionActionsProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const task = useTask();

  const rename = async (event: FormEvent) => {
    event.preventDefault();
    if (!(await task.run(() => request(url, { method: 'PATCH', body: { name: draft } })))) return;
    setDraft(null);
    onChange();
  };
  const remove = async () => {
    if (await task.run(() => request(url, { method: 'DELETE' }))) onChange();
  };

  if (draft !== null) {
    return (
      <form onSubmit={rename} className="flex items-start gap-2">
        <TextField
          label={strings.history.renameLabel}
          bare
          autoFocus
          value={draft}
          onValue={setDraft}
          maxLength={200}
          error={task.error}
          className="flex-1"
        />
        <Button type="submit" small disabled={task.busy || draft.trim() === ''}>
          {strings.common.save}
        </Button>
        <Button small tone="quiet" onClick={() => setDraft(null)}>
          {strings.common.cancel}
        </Button>
      </form>
    );
  }
  return (
    <div className="-ml-1.5">
      <span className="flex flex-wrap gap-1">
        <Button small tone="quiet" onClick={() => setDraft(name)}>
          {strings.history.rename}
        </Button>
        <ConfirmButton
          label={strings.history.delete}
          question={strings.history.deleteSure}
          disabled={task.busy}
          onConfirm={() => void remove()}
        />
      </span>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </div>
  );
}

function quoted(text: string | null): string {
  return JSON.stringify(text ?? '');
}
