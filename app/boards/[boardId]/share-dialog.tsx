'use client';
import Link from 'next/link';
import { useState } from 'react';
import type { PagesOfDeleted, Publication } from '@/lib/wire.ts';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { Invites } from '@/app/ui/people/invites.tsx';
import { MemberList } from '@/app/ui/people/member-list.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard } from './board-context.tsx';

/** Who is on the board and as what, links by which others join, and deleting it. */
export function ShareDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.share.title} open={open} onClose={onClose} wide>
      <Sharing />
    </Dialog>
  );
}

function Sharing() {
  const { boardId, workspaceId, person, role, may } = useBoard();
  const url = `/api/boards/${boardId}`;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
      <section>
        <p className="mb-2 text-xs text-soft">{role === null ? null : strings.share.yours(role)}</p>
        <MemberList
          key={role}
          place="board"
          url={url}
          personId={person.id}
          mayManage={may('board.members')}
          mayTransfer={may('board.transfer')}
          onLeft={() => location.assign('/')}
        />
        {workspaceId !== null ? (
          <p className="mt-2">
            <Link
              href={`/workspaces/${workspaceId}?show=members`}
              prefetch={false}
              className="text-xs text-soft underline underline-offset-2"
            >
              {strings.share.workspace}
            </Link>
          </p>
        ) : null}
      </section>
      {may('board.invite') ? (
        <section>
          <h3 className="mb-2 text-sm font-semibold">{strings.invites.title}</h3>
          <Invites url={url} />
        </section>
      ) : null}
      {may('board.delete') ? <Deletion /> : null}
    </div>
  );
}

function Deletion() {
  const { boardId } = useBoard();
  const task = useTask();
  const published = useLoaded<Publication[]>(`/api/boards/${boardId}/publications`);
  const [pages, setPages] = useState<PagesOfDeleted>('keep');
  const remove = async () => {
    if (await task.run(() => request(`/api/boards/${boardId}?pages=${pages}`, { method: 'DELETE' })))
      location.assign(`/?deleted=${boardId}`);
  };
  return (
    <section className="border-t border-line pt-3">
      <p className="mb-1 text-xs text-soft">{strings.share.deleteText}</p>
      {published.value && published.value.length > 0 ? <PagesChoice pages={pages} onChange={setPages} /> : null}
      <ConfirmButton
        label={strings.share.delete}
        question={strings.share.deleteSure}
        // What becomes of its pages must have been asked, where it has some.
        disabled={task.busy || published.value === null}
        onConfirm={() => void remove()}
      />
      {task.error || published.error ? <Fault>{task.error ?? published.error}</Fault> : null}
    </section>
  );
}

const CHOICES = ['keep', 'remove'] as const satisfies readonly PagesOfDeleted[];

function PagesChoice({ pages, onChange }: { pages: PagesOfDeleted; onChange: (pages: PagesOfDeleted) => void }) {
  const words = strings.deletion;
  const hints = { keep: words.keepHint, remove: words.removeHint };
  return (
    <fieldset className="mb-2 grid gap-1">
      <legend className="mb-1 text-xs font-medium text-soft">{words.pages}</legend>
      {CHOICES.map((choice) => (
        <label key={choice} className="grid grid-cols-[auto_1fr] items-baseline gap-x-2 text-sm">
          <input type="radio" name="pages" checked={pages === choice} onChange={() => onChange(choice)} />
          <span>
            {words[choice]} <span className="text-xs text-soft">{hints[choice]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
