'use client';
import { useState, type ChangeEvent } from 'react';
import { formatCount, formatTime } from '@/lib/figures/numbers.ts';
import type { ImportReport, ImportedGraph } from '@/lib/wire.ts';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Dialog } from '@/app/ui/dialog.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useLoaded } from '@/app/ui/use-loaded.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { useBoard } from './board-context.tsx';

/** What other tools read and write: files out of the board, and into it. */
export function FilesDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title={strings.files.title} open={open} onClose={onClose} wide>
      <Files />
    </Dialog>
  );
}

function Files() {
  const { boardId, may } = useBoard();
  const graphs = useLoaded<ImportedGraph[]>(`/api/boards/${boardId}/imports`);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-5">
      <section>
        <h3 className="mb-2 text-sm font-semibold">{strings.files.out}</h3>
        <ul className="grid gap-1.5 text-sm">
          {strings.files.formats.map(([format, name, text]) => (
            <li key={format} className="grid gap-x-3 sm:grid-cols-[11rem_1fr]">
              <a
                href={`/api/boards/${boardId}/export?format=${format}`}
                download
                className="inline-block py-0.5 font-medium underline underline-offset-2"
              >
                {name}
              </a>
              <span className="text-xs leading-6 text-soft">{text}</span>
            </li>
          ))}
        </ul>
      </section>
      {may('board.edit') ? <BringIn onDone={graphs.reload} /> : null}
      <Imported graphs={graphs.value} error={graphs.error} onChange={graphs.reload} />
    </div>
  );
}

function BringIn({ onDone }: { onDone: () => void }) {
  const { boardId } = useBoard();
  const task = useTask();
  const [report, setReport] = useState<ImportReport | null>(null);

  const bring = (event: ChangeEvent<HTMLInputElement>) => {
    const input = event.currentTarget;
    const [file] = input.files ?? [];
    if (!file) return;
    setReport(null);
    void task
      .run(async () => {
        const body = parse(await file.text());
        setReport(await request<ImportReport>(`/api/boards/${boardId}/import`, { method: 'POST', body }));
        onDone();
      })
      // The same file once more, mended, counts as chosen again.
      .then(() => (input.value = ''));
  };

  return (
    <section className="border-t border-line pt-4">
      <h3 className="mb-1 text-sm font-semibold">{strings.files.in}</h3>
      <p id="bring-in-text" className="mb-2 text-xs text-soft">
        {strings.files.inText}
      </p>
      <label className="block text-xs font-medium text-soft">
        {strings.files.file}
        <input
          type="file"
          accept=".json,.jsonld,application/json,application/ld+json"
          aria-describedby="bring-in-text"
          disabled={task.busy}
          onChange={bring}
          className="mt-1 block w-full text-sm text-ink"
        />
      </label>
      <div role="status" className="mt-2 text-sm">
        {task.busy ? strings.files.busy : null}
        {report ? <Brought report={report} /> : null}
      </div>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </section>
  );
}

/** A file of the person's: what is wrong with it is told to them, not to the server. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(strings.files.noJson);
  }
}

function Brought({ report }: { report: ImportReport }) {
  const { groups, labels, comments, left } = report;
  return (
    <>
      <p data-testid="brought-in">{strings.files.done(groups, labels, comments)}</p>
      {left.length > 0 ? (
        <ul className="mt-1 list-disc pl-4 text-xs text-soft">
          {left.map(({ id, why }) => (
            <li key={`${id} ${why}`} className="break-words">
              <span className="font-mono">{id}</span>: {why}
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

interface ImportedProps {
  graphs: readonly ImportedGraph[] | null;
  error: string | null;
  onChange: () => void;
}

function Imported({ graphs, error, onChange }: ImportedProps) {
  const { boardId, may } = useBoard();
  const task = useTask();
  if (error) return <Fault>{error}</Fault>;
  if (!graphs || graphs.length === 0) return null;
  const url = (id: string) => `/api/boards/${boardId}/imports/${id}`;
  const remove = async (id: string) => {
    if (await task.run(() => request(url(id), { method: 'DELETE' }))) onChange();
  };
  return (
    <section className="border-t border-line pt-4">
      <h3 className="mb-2 text-sm font-semibold">{strings.files.graphs}</h3>
      <ul className="grid gap-2 text-sm">
        {graphs.map(({ id, name, nodes, links, author, createdAt }) => (
          <li key={id} data-imported={name} className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
            <a href={url(id)} download={`${name}.json`} className="font-medium underline underline-offset-2">
              {name}
            </a>
            <span className="rounded-[3px] border border-dotted border-strong px-1 text-2xs">{strings.files.unverified}</span>
            <span className="text-xs text-soft">{strings.files.size(formatCount(nodes), formatCount(links))}</span>
            <span className="text-xs text-soft">
              {author}, {formatTime(createdAt)}
            </span>
            {may('board.edit') ? (
              <ConfirmButton
                label={strings.files.remove}
                name={strings.files.removeName(name)}
                question={strings.files.removeSure}
                disabled={task.busy}
                onConfirm={() => void remove(id)}
              />
            ) : null}
          </li>
        ))}
      </ul>
      {task.error ? <Fault>{task.error}</Fault> : null}
    </section>
  );
}
