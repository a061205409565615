'use client';
import Link from 'next/link';
import { useRef, useState } from 'react';
import type { ModelImport } from '@/lib/model-wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { ConfirmButton } from '@/app/ui/confirm-button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { ProgressLine } from '@/app/ui/progress-line.tsx';
import { lineOf, request } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { chosenOf, missingOf } from './chosen-files.ts';
import { filesFor, isSending, sendFiles, stopSending } from './uploads.ts';

interface ImportRowProps {
  found: ModelImport;
  onChange: () => void;
}

export function ImportRow({ found, onChange }: ImportRowProps) {
  const text = strings.models.imports;
  const { id, name, from, by, state, kind } = found;
  const task = useTask();
  const url = `/api/imports/${id}`;

  const act = async (work: () => Promise<unknown>) => {
    await task.run(work);
    onChange();
  };
  const cancel = () =>
    act(() => {
      stopSending(id);
      return request(url, { method: 'PATCH', body: { state: 'stopped' } });
    });
  const discard = () =>
    act(() => {
      stopSending(id);
      return request(url, { method: 'DELETE' });
    });

  return (
    <li className="px-1 py-2 text-sm" data-import={name}>
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="name font-medium break-all">{name}</span>
        <span className="text-xs break-all text-soft">{[from ?? text.upload, text.by(by.name)].join(' · ')}</span>
      </p>
      {state === 'running' ? <Running found={found} onCancel={cancel} /> : null}
      {state === 'waiting' ? (
        <p className="flex items-center gap-2 text-xs text-soft" role="status">
          {text.waiting}
          <Button tone="quiet" small disabled={task.busy} onClick={cancel}>
            {strings.common.cancel}
          </Button>
        </p>
      ) : null}
      {state === 'done' ? (
        <p className="flex flex-wrap items-center gap-2 text-xs" role="status">
          {text.done}
          <Link href={`/models/${encodeURIComponent(name)}`} prefetch={false} className="underline underline-offset-2">
            {name}
          </Link>
          <Button tone="quiet" small disabled={task.busy} aria-label={text.of(strings.common.dismiss, name)} onClick={discard}>
            {strings.common.dismiss}
          </Button>
        </p>
      ) : null}
      {state === 'failed' && found.error ? <Fault>{found.error.message}</Fault> : null}
      {state === 'stopped' || state === 'failed' ? (
        <p className="mt-1 flex flex-wrap items-center gap-2 text-xs text-soft">
          {state === 'stopped' ? text.stopped(found.kept) : found.kept > 0 ? text.kept(found.kept) : null}
          {kind === 'upload' ? (
            <SendOn found={found} busy={task.busy} onGoOn={act} onChange={onChange} />
          ) : (
            <Button
              small
              disabled={task.busy}
              aria-label={text.of(state === 'failed' ? text.again : text.goOn, name)}
              onClick={() => act(() => request(url, { method: 'PATCH', body: { state: 'running' } }))}
            >
              {state === 'failed' ? text.again : text.goOn}
            </Button>
          )}
          <ConfirmButton
            label={text.discard}
            name={text.of(text.discard, name)}
            question={text.discardQuestion}
            disabled={task.busy}
            onConfirm={discard}
          />
        </p>
      ) : null}
      {task.error ? <Fault>{task.error}</Fault> : null}
    </li>
  );
}

function Running({ found, onCancel }: { found: ModelImport; onCancel: () => void }) {
  const { id, done, total, stage } = found;
  const isElsewhere = stage === 'receive' && !isSending(id);
  return (
    <>
      <ProgressLine progress={{ done, total: total ?? 0, what: strings.models.imports.what(found) }} onCancel={onCancel} />
      {isElsewhere ? <p className="text-xs text-soft">{strings.models.imports.elsewhere}</p> : null}
    </>
  );
}

interface SendOnProps {
  found: ModelImport;
  busy: boolean;
  onGoOn: (work: () => Promise<unknown>) => Promise<void>;
  onChange: () => void;
}

/** In the window that began the upload its files are still known; elsewhere they are chosen once more. */
function SendOn({ found, busy, onGoOn, onChange }: SendOnProps) {
  const text = strings.models.imports;
  const input = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState<string | null>(null);
  const known = filesFor(found.id);

  const goOn = (files: ReadonlyMap<string, File>) => {
    const missing = missingOf(found.files, files);
    setFault(missing === null ? null : text.otherFiles(missing));
    if (missing !== null) return;
    void onGoOn(async () => {
      const state = await request<ModelImport>(`/api/imports/${found.id}`, { method: 'PATCH', body: { state: 'running' } });
      sendFiles(state, files, (failure) => {
        setFault(failure === null ? null : lineOf(failure));
        onChange();
      });
    });
  };

  return (
    <>
      <Button
        small
        disabled={busy}
        aria-label={text.of(known ? text.goOn : text.chooseAgain, found.name)}
        onClick={() => (known ? goOn(known) : input.current?.click())}
      >
        {known ? text.goOn : text.chooseAgain}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={text.of(text.chooseAgain, found.name)}
        onChange={({ target }) => target.files && goOn(chosenOf(target.files).files)}
      />
      {fault ? <Fault>{fault}</Fault> : null}
    </>
  );
}
