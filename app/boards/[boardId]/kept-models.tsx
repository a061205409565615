'use client';
import { useEffect, useState } from 'react';
import { formatTime } from '@/lib/figures/numbers.ts';
import { forgetModel, keptModels, type KeptModel } from '@/lib/worker/kept-models.ts';
import { Button } from '@/app/ui/button.tsx';
import { strings } from '@/app/ui/strings.ts';

const words = strings.device.kept;

/** The models that this browser keeps, each with its size and a way to be rid of it. */
export function KeptModels() {
  const [models, setModels] = useState<KeptModel[] | null | 'loading'>('loading');
  const [removed, setRemoved] = useState<string | null>(null);

  useEffect(() => {
    void keptModels().then(setModels);
  }, []);

  const remove = async ({ hash, name }: KeptModel) => {
    await forgetModel(hash);
    setModels(await keptModels());
    setRemoved(name);
  };

  if (models === 'loading') return null;
  return (
    <section aria-labelledby="kept-models" className="mt-4 text-xs">
      <h3 id="kept-models" className="font-semibold">
        {words.title}
      </h3>
      {models === null ? <p className="mt-1 text-soft">{words.never}</p> : null}
      {models?.length === 0 ? <p className="mt-1 text-soft">{words.none}</p> : null}
      <ul className="mt-1 grid gap-1">
        {models?.map((model) => (
          <li key={model.hash} className="flex flex-wrap items-center gap-x-2" data-kept={model.name}>
            <span className="name">{model.name}</span>
            <span className="text-soft">{words.size(sizeOf(model.bytes), formatTime(model.usedAt))}</span>
            <Button small onClick={() => void remove(model)} aria-label={words.remove(model.name)}>
              {words.removeShort}
            </Button>
          </li>
        ))}
      </ul>
      <p role="status">{removed === null ? null : words.removed(removed)}</p>
      {models?.length ? <p className="mt-1 text-soft">{words.rule}</p> : null}
    </section>
  );
}

function sizeOf(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}
