'use client';
import { useState } from 'react';
import type { NewImport } from '@/lib/model-wire.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useReady } from '@/app/ui/use-ready.ts';
import { useTask } from '@/app/ui/use-task.ts';
import { beginImport } from './begin-import.ts';
import { UploadForm } from './upload-form.tsx';

interface ImportFormProps {
  hubHost: string;
  mayReadFolders: boolean;
  onBegun: () => void;
}

type Kind = NewImport['kind'];
const KINDS: readonly Kind[] = ['hub', 'upload', 'folder'];

export function ImportForm({ hubHost, mayReadFolders, onBegun }: ImportFormProps) {
  const text = strings.models.import;
  const ready = useReady();
  const [kind, setKind] = useState<Kind>('hub');
  return (
    <section aria-labelledby="import" className="mt-8 max-w-2xl">
      <h2 id="import" className="mb-1 text-sm font-semibold">
        {text.title}
      </h2>
      <p className="mb-3 text-xs text-soft">{text.families}</p>
      <fieldset disabled={!ready} className="mb-3 flex flex-wrap gap-x-4 gap-y-1 text-sm">
        <legend className="sr-only">{text.kindLabel}</legend>
        {KINDS.filter((one) => one !== 'folder' || mayReadFolders).map((one) => (
          <label key={one} className="flex items-center gap-1.5">
            <input type="radio" name="import-kind" value={one} checked={kind === one} onChange={() => setKind(one)} />
            {text.kinds[one]}
          </label>
        ))}
      </fieldset>
      {kind === 'hub' ? <PlaceForm key="hub" kind="hub" label={text.hub.label} hubHost={hubHost} onBegun={onBegun} /> : null}
      {kind === 'folder' ? <PlaceForm key="folder" kind="folder" label={text.folder.label} hubHost={hubHost} onBegun={onBegun} /> : null}
      {kind === 'upload' ? <UploadForm onBegun={onBegun} /> : null}
    </section>
  );
}

interface PlaceFormProps {
  kind: 'hub' | 'folder';
  label: string;
  hubHost: string;
  onBegun: () => void;
}

/** A model that the server gets by itself: of the hub, or out of a folder. */
function PlaceForm({ kind, label, hubHost, onBegun }: PlaceFormProps) {
  const text = strings.models.import;
  const ready = useReady();
  const task = useTask();
  const [from, setFrom] = useState('');
  const [name, setName] = useState('');

  const start = async () => {
    if (!(await task.run(() => beginImport({ kind, from, name: name.trim() === '' ? null : name })))) return;
    setFrom('');
    setName('');
    onBegun();
  };

  const hint =
    kind === 'folder' ? (
      text.folder.hint
    ) : (
      <>
        {text.hub.hint(hubHost)}
        <span className="mt-1 flex flex-wrap items-baseline gap-x-3">
          {text.hub.example}
          {text.hub.examples.map((example) => (
            <button
              key={example}
              type="button"
              className="min-h-6 rounded-[2px] font-mono underline decoration-dotted underline-offset-2"
              onClick={() => setFrom(example)}
            >
              {example}
            </button>
          ))}
        </span>
      </>
    );

  return (
    <form action={start} className="grid gap-3">
      <div className="grid gap-3 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <TextField
          label={label}
          value={from}
          onValue={setFrom}
          placeholder={kind === 'hub' ? text.hub.placeholder : undefined}
          spellCheck={false}
          autoComplete="off"
          hint={hint}
        />
        <TextField
          label={text.name}
          value={name}
          onValue={setName}
          placeholder={from.split('@', 1)[0]?.split('/').at(-1)}
          spellCheck={false}
          autoComplete="off"
          error={task.error}
        />
      </div>
      <Button type="submit" tone="main" className="justify-self-start" disabled={!ready || task.busy || from.trim() === ''}>
        {text.start}
      </Button>
    </form>
  );
}
