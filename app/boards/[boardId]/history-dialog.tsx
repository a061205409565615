'use client';
import { useState, type FormEvent } from 'react';
import type { VersionSummary } from '@/lib/wire.ts';
import { formatTime } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useLoaded, type Loaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard, useConnection } from './board-context.tsx';
import { VersionView } from './version-view.tsx';

/** States of the board document: which there are, what each holds, and going back to one. */
export function HistoryDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.history.title} open={open} onClose={onClose} wide>
      <History onClose={onClose} />
    </Dialog>
  );
}

function History({ onClose }: { onClose: () => void }) {
  const { boardId, may } = useBoard();
  const versions = useLoaded<VersionSummary[]>(`/api/boards/${boardId}/versions`);
  const [chosen, setChosen] = useState<string | null>(null);
  const version = versions.value?.find(({ id }) => id === chosen) ?? null;

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <p className="text-xs text-soft">{strings.history.text}</p>
      {may('board.keep-version') ? <KeepForm onKept={versions.reload} /> : null}
      <div className="grid items-start gap-x-6 gap-y-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
        <VersionList versions={versions} chosen={chosen} onChoose={setChosen} />
        <div className="min-w-0">
          {version ? (
            <VersionView key={version.id} version={version} onChange={versions.reload} onRestored={onClose} />
          ) : versions.value && versions.value.length > 0 ? (
            <p className="text-sm text-soft">{strings.history.choose}</p>
          ) : null}
        </div>
      </div>
    </div>
  );
}

function KeepForm({ onKept }: { onKept: () => void }) {
  const { boardId, session } = useBoard();
  const { unsaved } = useConnection(session);
  const [name, setName] = useState('');
  const task = useTask();

  const keep = async (event: FormEvent) => {
    event.preventDefault();
    const done = await task.run(() => request(`/api/boards/${boardId}/versions`, { method: 'POST', body: { name } }));
    if (!done) return;
    setName('');
    onKept();
  };

  return (
    <form onSubmit={keep} className="flex items-start gap-2">
      <TextField
        label={strings.history.keep}
        bare
        value={name}
        onValue={setName}
        maxLength={200}
        placeholder={strings.history.keepPlaceholder}
        error={task.error}
        hint={unsaved > 0 ? strings.history.unsaved : undefined}
        className="flex-1"
      />
      <Button type="submit" disabled={task.busy || name.trim() === '' || unsaved > 0}>
        {strings.history.keepSubmit}
      </Button>
    </form>
  );
}

interface VersionListProps {
  versions: Loaded<VersionSummary[]>;
  chosen: string | null;
  onChoose: (id: string) => void;
}

function VersionList({ versions: { value, error }, chosen, onChoose }: VersionListProps) {
  if (error) return <Fault>{error}</Fault>;
  if (!value) return <p className="text-sm text-soft">{strings.common.working}</p>;
  if (value.length === 0) return <p className="text-sm text-soft">{strings.history.none}</p>;
  return (
    <ul data-testid="versions" className="max-h-96 divide-y divide-line overflow-y-auto border-y border-line text-sm">
      {value.map(({ id, name, author, createdAt }) => (
        <li key={id}>
          <button
            type="button"
            aria-current={id === chosen ? 'true' : undefined}
            onClick={() => onChoose(id)}
            className={`w-full px-1.5 py-1 text-left ${id === chosen ? 'bg-chosen' : 'hover:bg-hover'}`}
          >
            <span className={`block break-words ${name === null ? 'text-soft' : 'font-medium'}`}>{name ?? strings.history.byItself}</span>
            <span className="block text-xs text-soft">
              {formatTime(createdAt)} · {author}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
