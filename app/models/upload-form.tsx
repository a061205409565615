'use client';
import { useRef, useState } from 'react';
import { formatBytes } from '@/lib/figures/numbers.ts';
import { Button } from '@/app/ui/button.tsx';
import { Fault } from '@/app/ui/field.tsx';
import { lineOf } from '@/app/ui/request.ts';
import { strings } from '@/app/ui/strings.ts';
import { TextField } from '@/app/ui/text-field.tsx';
import { useTask } from '@/app/ui/use-task.ts';
import { beginImport } from './begin-import.ts';
import { chosenOf, describe, type Chosen } from './chosen-files.ts';
import { sendFiles } from './uploads.ts';

/** A model that this browser sends. */
export function UploadForm({ onBegun }: { onBegun: () => void }) {
  const text = strings.models.import.upload;
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [name, setName] = useState('');
  const [broken, setBroken] = useState<string | null>(null);
  const task = useTask();

  const choose = (list: FileList | null) => {
    if (!list || list.length === 0) return;
    const found = chosenOf(list);
    setChosen(found);
    setName(found.name);
    setBroken(null);
  };

  const start = async () => {
    if (!chosen) return;
    const { files } = chosen;
    const begun = await task.run(async () => {
      const found = await beginImport({ kind: 'upload', name, files: describe(files) });
      sendFiles(found, files, (failure) => {
        setBroken(failure === null ? null : lineOf(failure));
        onBegun();
      });
    });
    if (!begun) return;
    setChosen(null);
    onBegun();
  };

  const fault = chosen?.pickle ? text.pickle(chosen.pickle) : chosen && !chosen.isModel ? text.noModel : broken;
  return (
    <form action={start} className="grid gap-3">
      <p className="text-xs text-soft">{text.text}</p>
      <div className="flex flex-wrap items-center gap-2">
        <Chooser label={text.folder} folder onChoose={choose} />
        <Chooser label={text.files} onChoose={choose} />
        {chosen ? (
          <span className="text-xs text-soft" role="status">
            {[
              text.chosen(chosen.files.size, formatBytes(chosen.bytes)),
              ...(chosen.ignored > 0 ? [text.ignored(chosen.ignored)] : []),
            ].join('; ')}
          </span>
        ) : null}
      </div>
      {fault ? <Fault>{fault}</Fault> : null}
      {chosen?.isModel ? (
        <>
          <ul className="grid gap-0.5 font-mono text-xs text-soft">
            {[...chosen.files.values()].map((file) => (
              <li key={file.name} className="flex justify-between gap-4">
                <span className="truncate">{file.name}</span>
                <span className="shrink-0">{formatBytes(file.size)}</span>
              </li>
            ))}
          </ul>
          <TextField
            label={strings.models.import.name}
            value={name}
            onValue={setName}
            hint={strings.models.import.nameHint}
            error={task.error}
            spellCheck={false}
            autoComplete="off"
            className="max-w-xs"
          />
          <Button type="submit" tone="main" className="justify-self-start" disabled={task.busy || name.trim() === ''}>
            {text.start}
          </Button>
        </>
      ) : null}
    </form>
  );
}

interface ChooserProps {
  label: string;
  folder?: boolean;
  onChoose: (files: FileList | null) => void;
}

function Chooser({ label, folder = false, onChoose }: ChooserProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button small onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        {...(folder && { webkitdirectory: '' })}
        onChange={({ target }) => {
          onChoose(target.files);
          // The same files once more are a choice, too.
          target.value = '';
        }}
      />
    </>
  );
}
